/// How much memory a proxy with a bad shadow may have.
enum SoakBound {
  /// What a connection's shadow may lag, and what all may: `--shadow-buffer` and `--shadow-buffer-total`. So
  /// small that eight connections with uploads reach the total, which nothing else would put to the test.
  static let perConnection = 8 << 20
  static let total = 32 << 20
  /// For each copy that is open at a time: a queue takes memory in blocks of 16 KB, and the bound counts its bytes
  /// alone; then the state of the connection that waits for the copy's end.
  static let perCopy = 18 << 10
  /// The proxy takes the blocks from the kernel so many bytes at a time.
  static let slab = 2 << 20

  /// - Parameters:
  ///   - base: what the proxy without a shadow had at most under the same load.
  ///   - copying: the most copies that were open at a time.
  static func bytes(base: Int, copying: Int) -> Int {
    base + total + copying * perCopy + slab
  }
}
