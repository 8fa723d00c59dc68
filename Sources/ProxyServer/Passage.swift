import CLinux
import Glibc

/// A pipe through which a loop moves bytes from one socket to another inside the kernel (splice(2)), without a copy.
/// It is empty between its uses, so that one serves all connections of a loop.
final class Passage {
  /// What became of one move.
  struct Move {
    /// As of recv(2): how many bytes were received, 0 at the stream's end, or a negated errno.
    let received: Int
    /// How many of them the sink did not take; they are kept for it.
    let owed: Int
    /// Why the sink took less, where it did: `EAGAIN`, or what made it fail. 0 where it took all.
    let errno: Int32
  }

  /// The most that is moved at once: what a pipe may hold of anybody who has no privileges.
  static let size = 1 << 20

  private let entrance: Int32
  private let exit: Int32

  /// Nil where the kernel gives no pipe.
  init?() {
    var pipe: [Int32] = [-1, -1]
    guard clinux_pipe(&pipe, Int32(Self.size)) == 0 else { return nil }
    // A send can be told not to raise it for a peer that is gone (MSG_NOSIGNAL); splice(2) cannot.
    signal(SIGPIPE, SIG_IGN)
    (exit, entrance) = (pipe[0], pipe[1])
  }

  deinit {
    close(entrance)
    close(exit)
  }

  /// Moves what has come to `source` on to `sink`; neither may be one that blocks.
  ///
  /// - Parameters:
  ///   - buffer: for what the sink does not take.
  ///   - keep: is given that, in order.
  func move(
    _ source: Int32,
    to sink: Int32,
    _ buffer: UnsafeMutableRawBufferPointer,
    keep: (UnsafeRawBufferPointer) -> Void
  ) -> Move {
    let received = clinux_splice(source, entrance, Self.size)
    guard received > 0 else { return Move(received: received, owed: 0, errno: 0) }
    var rest = received
    while rest > 0 {
      let sent = clinux_splice(exit, sink, rest)
      guard sent > 0 else {
        empty(buffer, keep)
        return Move(received: received, owed: rest, errno: sent == 0 ? EAGAIN : Int32(-sent))
      }
      rest -= sent
    }
    return Move(received: received, owed: 0, errno: 0)
  }

  private func empty(
    _ buffer: UnsafeMutableRawBufferPointer,
    _ keep: (UnsafeRawBufferPointer) -> Void
  ) {
    while true {
      let count = clinux_read(exit, buffer.baseAddress, buffer.count)
      guard count > 0 else { return }
      keep(UnsafeRawBufferPointer(start: buffer.baseAddress, count: count))
    }
  }
}
