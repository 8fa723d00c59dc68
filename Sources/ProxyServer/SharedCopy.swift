/// The copy of the bytes being handed over, made when the first socket cannot take them: one copy serves every
/// socket that cannot.
struct SharedCopy {
  /// The bytes being handed over now.
  private var received: UnsafeRawBufferPointer?
  private var copy: (chunk: Chunk, source: UnsafeRawPointer)?

  mutating func begin(_ bytes: UnsafeRawBufferPointer) { received = bytes }

  mutating func end() {
    received = nil
    copy = nil
  }

  /// A chunk that holds the bytes from `start` to its end.
  mutating func holding(_ rest: UnsafeRawBufferPointer) -> (chunk: Chunk, start: Int) {
    let base = rest.baseAddress!
    if let copy, base >= copy.source, base + rest.count == copy.source + copy.chunk.count {
      return (copy.chunk, base - copy.source)
    }
    let chunk = Chunk(copying: rest, capacity: 0)
    if let start = received?.baseAddress, (start..<start + received!.count).contains(base) {
      copy = (chunk, base)
    }
    return (chunk, 0)
  }
}
