import CLinux
import Glibc

/// Bytes that several queues may share. Written once, then only read; only its last owner may add to it.
final class Chunk {
  let base: UnsafeMutableRawPointer
  let capacity: Int
  fileprivate(set) var count: Int

  /// Copies the bytes. `capacity` leaves room for later small ones.
  init(copying bytes: UnsafeRawBufferPointer, capacity: Int) {
    self.capacity = max(capacity, bytes.count)
    base = UnsafeMutableRawPointer.allocate(byteCount: self.capacity, alignment: 16)
    base.copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    count = bytes.count
  }

  deinit { base.deallocate() }
}

/// What a socket has still to be sent, in order. Empty, it holds no memory.
///
/// Large pieces are shared between queues; small ones are gathered in a chunk of the queue's own, so that a
/// peer that is sent one byte at a time does not cost a chunk a byte.
struct OutputQueue {
  /// Below this a piece is gathered instead of shared.
  static let smallPiece = 4096

  private struct Piece {
    var chunk: Chunk
    var start: Int
    var end: Int
  }

  private var pieces: [Piece] = []
  private var head = 0
  private(set) var count = 0

  var isEmpty: Bool { count == 0 }

  /// The first run of bytes to send. Valid until the queue changes.
  private var front: UnsafeRawBufferPointer {
    let piece = pieces[head]
    return UnsafeRawBufferPointer(
      start: piece.chunk.base + piece.start,
      count: piece.end - piece.start
    )
  }

  mutating func append(small bytes: UnsafeRawBufferPointer) {
    count += bytes.count
    if head < pieces.count {
      let last = pieces.count - 1
      if gather(bytes, into: &pieces[last]) { return }
    }
    let chunk = Chunk(copying: bytes, capacity: Self.smallPiece)
    pieces.append(Piece(chunk: chunk, start: 0, end: bytes.count))
  }

  mutating func append(sharing chunk: Chunk, from start: Int) {
    count += chunk.count - start
    pieces.append(Piece(chunk: chunk, start: start, end: chunk.count))
  }

  /// Sends until nothing is left, or the socket takes no more (`EAGAIN`), or it fails.
  mutating func send(to descriptor: Int32) -> (taken: Int, errno: Int32) {
    var taken = 0
    while !isEmpty {
      let size = front.count
      let result = clinux_send(descriptor, front.baseAddress, size)
      guard result >= 0 else { return (taken, Int32(-result)) }
      taken += result
      removeFirst(result)
      guard result == size else { return (taken, EAGAIN) }
    }
    return (taken, 0)
  }

  private mutating func removeFirst(_ sent: Int) {
    count -= sent
    pieces[head].start += sent
    guard pieces[head].start == pieces[head].end else { return }
    head += 1
    if head == pieces.count {
      pieces = []
      head = 0
    } else if head >= 64, head * 2 >= pieces.count {
      pieces.removeFirst(head)
      head = 0
    } else {
      // The chunk is let go of now, not when the array is next compacted.
      pieces[head - 1].chunk = pieces[head].chunk
    }
  }

  private func gather(_ bytes: UnsafeRawBufferPointer, into piece: inout Piece) -> Bool {
    guard piece.end == piece.chunk.count, piece.chunk.capacity - piece.end >= bytes.count,
      isKnownUniquelyReferenced(&piece.chunk)
    else { return false }
    (piece.chunk.base + piece.end).copyMemory(from: bytes.baseAddress!, byteCount: bytes.count)
    piece.chunk.count += bytes.count
    piece.end += bytes.count
    return true
  }
}
