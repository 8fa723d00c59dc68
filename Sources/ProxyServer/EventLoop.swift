import CLinux
import Duplex
import Glibc

/// A socket that a loop owns. A closed socket's identity is never given to another one.
struct SocketID: Hashable {
  let index: UInt32
  let generation: UInt32
}

/// What a socket is to the server: handed back with each of its completions.
struct Tag {
  enum Role: UInt8 { case listener, client, primary, shadow, adminListener, admin, probe, mailbox }

  let role: Role
  /// Which shadow of the connection.
  var lane: UInt16 = 0
  /// Which connection, listener or probe.
  let index: Int
}

/// What became of something asked of the loop.
enum Completion {
  /// A listener's new connection, not yet adopted.
  case accepted(Int32)
  /// No connection could be accepted; the listener rests until it is told to accept again.
  case acceptFailed(errno: Int32)
  case connected
  /// The connect failed, or the connection did and all it had sent has been received.
  case failed(errno: Int32)
  /// A send failed; what the peer had sent before can still be received.
  case sendFailed(errno: Int32)
  /// The connection broke while nobody was receiving; what the peer had sent before can still be received.
  case lost
  /// Bytes of the peer, valid only during this call.
  case received(UnsafeRawBufferPointer)
  /// So many bytes of the peer were sent on, and this many of them are owed to where they went.
  case forwarded(Int, owed: Int)
  /// Bytes of the peer that were thrown away.
  case discarded(Int)
  /// The peer's FIN.
  case ended
  /// Bytes that were owed have been taken.
  case sent(Int)
  /// All bytes that were under way have been taken, but for this many, which are owed.
  case settled(owed: Int)
}

/// What to do with received bytes.
enum Reception {
  case off
  /// Hand them over.
  case bytes
  /// Throw them away, without copying them where the kernel can do without.
  case discard
}

enum Closing {
  case orderly
  /// By a reset: the peer learns that something went wrong, and the kernel drops what was unsent.
  case reset
}

protocol CompletionHandler: AnyObject {
  func completed(_ completion: Completion, tag: Tag, socket: SocketID)

  /// How many of the bytes that have come to a socket that receives to discard are to be thrown away now. If none, its
  /// reception was stopped.
  func discardLimit(tag: Tag) -> Int
}

/// A completion-shaped event loop: the server asks, the loop answers later with a `Completion`, always from
/// within `turn` and never from within a request. Epoll and io_uring fit behind it alike: accepts and receives
/// are asked for once and go on until paused, and bytes given to `send` are the loop's to keep until taken.
protocol EventLoop: AnyObject, SendableMetatype {
  /// For bytes that go on at once: free between any two system calls.
  var buffer: UnsafeMutableRawBufferPointer { get }

  /// A new stream socket for `adopt` and `connect`, or the negated errno.
  func stream(_ family: Int32) -> Int32

  /// Takes ownership of a descriptor: one of `stream`, of `accepted`, or a non-blocking one. Nil when the kernel has no room to watch it; then it is closed.
  func adopt(_ descriptor: Int32, tag: Tag) -> SocketID?

  func close(_ socket: SocketID, _ how: Closing)

  /// Accepts until told to rest, or until an accept fails.
  func accept(_ listener: SocketID)

  /// Leaves new connections waiting in the kernel's queue.
  func rest(_ listener: SocketID)

  /// Accepts what already waits, calling back at once for each.
  func drainAccepts(_ listener: SocketID, _ body: (Int32) -> Void)

  func connect(_ socket: SocketID, to address: SocketAddress)

  /// Receives until told otherwise. Started again, goes on where it was.
  func receive(_ socket: SocketID, _ reception: Reception)

  /// Lets what is received from `source` be sent on to `sink` by the loop itself, where that is cheaper than to hand the
  /// bytes over: nobody else wants them.
  func forward(_ source: SocketID, to sink: SocketID)

  /// Sends bytes, and tells by `settled` what became of those under way, by `sent` when owed ones have been taken,
  /// by `sendFailed` when there is no more use in sending. The bytes need not outlive the call.
  func send(_ bytes: UnsafeRawBufferPointer, on socket: SocketID) -> Sending

  func descriptor(of socket: SocketID) -> Int32

  /// Has the kernel carry out now what was asked of it for the next turn, and let go of what it was asked for: there will
  /// be no other turn. A listening socket would else stay open, with clients waiting at it, and its port taken.
  func end()

  /// Waits for completions until `deadline` (monotonic nanoseconds) and hands them over.
  func turn(until deadline: UInt64, _ handler: some CompletionHandler)
}

/// What is done the same in every engine: one system call, at once.
extension EventLoop {
  /// Throws away what has come, all that the kernel may have kept or less: the count of bytes, 0 at the stream's end, or the
  /// negated errno. TCP bytes are dropped inside the kernel; a unix socket copies them out first. Only of a socket whose bytes nobody
  /// else wants.
  func discard(_ socket: SocketID, atMost limit: Int) -> Int {
    let descriptor = descriptor(of: socket)
    let result = clinux_discard(descriptor, min(limit, 2 * Shadowing.wide))
    guard result == -Int(EFAULT) || result == -Int(EINVAL) else { return result }
    return clinux_receive(descriptor, buffer.baseAddress, min(limit, buffer.count))
  }

  /// Whether the peer has still to acknowledge bytes, which a reset would throw away.
  func hasUnacknowledged(_ socket: SocketID) -> Bool {
    clinux_unacknowledged(descriptor(of: socket)) > 0
  }

  /// Whether the connection has failed, which the kernel has not told yet and will not tell again.
  func takeFailure(_ socket: SocketID) -> Bool { clinux_take_error(descriptor(of: socket)) != 0 }

  /// For how long the peer has neither asked for anything nor been sent anything, its last word being answered;
  /// negative where that is not so.
  func answeredMilliseconds(_ socket: SocketID) -> Int {
    Int(clinux_answered_milliseconds(descriptor(of: socket)))
  }

  /// Sends a FIN. Only when nothing is owed or under way.
  func finish(_ socket: SocketID) { Glibc.shutdown(descriptor(of: socket), Int32(SHUT_WR)) }
}
