/// What the epoll loop knows of a socket.
struct EpollSocket {
  var descriptor: Int32 = -1
  var generation: UInt32 = 0
  var tag = Tag(role: .mailbox, index: 0)
  var reception = Reception.off
  var accepting = false
  var connecting = false
  /// Its connect is to be tried again; what epoll says of it until then means nothing.
  var waiting = false
  var readable = false
  var writable = true
  /// A short receive does not mean that nothing is left: an end may follow, or urgent bytes, before which it stops.
  var isReadToEmpty = false
  var listed = false
  var output = OutputQueue()
  var fullness = Fullness()
  /// Where its bytes may be sent on to, and whose may be sent on to it.
  var sink: SocketID?
  var source: SocketID?
}
