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

  /// Keeps bytes that a socket has still to be sent.
  mutating func keep(_ rest: UnsafeRawBufferPointer, in output: inout OutputQueue) {
    guard rest.count >= OutputQueue.smallPiece else { return output.append(small: rest) }
    let shared = holding(rest)
    output.append(sharing: shared.chunk, from: shared.start)
  }

  /// A chunk that holds the bytes from `start` to its end.
  private mutating func holding(_ rest: UnsafeRawBufferPointer) -> (chunk: Chunk, start: Int) {
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
