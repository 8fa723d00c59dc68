/// What the io_uring loop knows of a socket.
struct UringSocket {
  var descriptor: Int32 = -1
  var generation: UInt32 = 0
  var tag = Tag(role: .mailbox, index: 0)
  var reception = Reception.off
  var accepting = false
  /// The kernel will tell when there is something to accept.
  var isAccepting = false
  var connecting = false
  /// The kernel connects it.
  var isConnectAsked = false
  var writable = true
  /// Its order in the sends of this turn, or -1.
  var order: Int32 = -1
  /// The kernel will tell when there is room to send.
  var awaitsRoom = false
  /// The kernel will tell when the connection breaks.
  var isWatched = false
  var receive = Receive.none
  /// The receive that is with the kernel has been taken back, but has not completed.
  var isCancelling = false
  var fullness = Fullness()
  /// Bytes that came after the server had stopped receiving, and how the stream ended after them.
  var held: [Chunk] = []
  var heldEnd: Int32?
  var listed = false
  var output = OutputQueue()
  /// Where its bytes may be sent on to, and whose may be sent on to it.
  var sink: SocketID?
  var source: SocketID?
  /// Its descriptor blocks, as what the kernel waits for itself needs it to.
  var isBlocking = true

  /// What the kernel was asked about it, and has not done.
  func forEachRequest(_ body: (Kind) -> Void) {
    if receive != .none { body(receive.kind) }
    if isAccepting { body(.accept) }
    if isConnectAsked { body(.connect) }
    if awaitsRoom { body(.room) }
    if isWatched { body(.watch) }
  }
}

extension UringSocket {
  /// What of a socket's receiving is with the kernel.
  enum Receive: UInt8 {
    case none, small, large, discard

    var kind: Kind {
      switch self {
      case .none: .ignored
      case .small: .small
      case .large: .large
      case .discard: .discard
      }
    }
  }

  /// What a completion is about; it travels through the kernel with the socket's identity.
  enum Kind: UInt64 { case ignored, accept, connect, small, large, discard, room, watch, send }
}
