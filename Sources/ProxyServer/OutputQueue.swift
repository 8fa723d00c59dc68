import CLinux
import Glibc

/// What a socket has still to be sent, in order, in blocks of a pool. Empty, it holds none.
struct OutputQueue {
  private var blocks: [UnsafeMutableRawPointer] = []
  /// The first block that is not sent wholly, and where its unsent bytes begin.
  private var head = 0
  private var start = 0
  /// How far the last block is filled.
  private var end = BlockPool.blockSize
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  mutating func append(_ bytes: UnsafeRawBufferPointer, _ pool: BlockPool) {
    var rest = bytes
    while let source = rest.baseAddress, rest.count > 0 {
      if end == BlockPool.blockSize {
        blocks.append(pool.take())
        end = 0
      }
      let size = min(rest.count, BlockPool.blockSize - end)
      (blocks[blocks.count - 1] + end).copyMemory(from: source, byteCount: size)
      end += size
      count += size
      rest = UnsafeRawBufferPointer(rebasing: rest[size...])
    }
  }

  /// Sends until nothing is left, or the socket takes no more (`EAGAIN`), or it fails.
  mutating func send(to descriptor: Int32, _ pool: BlockPool) -> (taken: Int, errno: Int32) {
    var taken = 0
    while !isEmpty {
      let (size, result) = withFront { clinux_send_vector(descriptor, $0, Int32($1)) }
      guard result >= 0 else { return (taken, Int32(-result)) }
      taken += result
      removeFirst(result, pool)
      guard result == size else { return (taken, EAGAIN) }
    }
    return (taken, 0)
  }

  /// Gives all blocks back; what was not sent is lost.
  mutating func clear(_ pool: BlockPool) {
    for block in blocks[head...] { pool.give(block) }
    self = OutputQueue()
  }

  /// As many bytes from the front as one system call is given, and what it answered.
  private func withFront(
    _ send: (UnsafePointer<iovec>, Int) -> Int
  ) -> (size: Int, result: Int) {
    let pieces = min(blocks.count - head, 64)
    return withUnsafeTemporaryAllocation(of: iovec.self, capacity: pieces) { vector in
      var size = 0
      for piece in 0..<pieces {
        let block = head + piece
        let first = piece == 0 ? start : 0
        let last = block == blocks.count - 1 ? end : BlockPool.blockSize
        vector.initializeElement(
          at: piece,
          to: iovec(iov_base: blocks[block] + first, iov_len: last - first)
        )
        size += last - first
      }
      return (size, send(vector.baseAddress!, pieces))
    }
  }

  private mutating func removeFirst(_ sent: Int, _ pool: BlockPool) {
    count -= sent
    guard count > 0 else { return clear(pool) }
    start += sent
    while start >= BlockPool.blockSize {
      pool.give(blocks[head])
      head += 1
      start -= BlockPool.blockSize
    }
    if head >= 64, head * 2 >= blocks.count {
      blocks.removeFirst(head)
      head = 0
    }
  }
}
