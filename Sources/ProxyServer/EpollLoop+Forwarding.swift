import Glibc

/// Bulky streams, which go from socket to socket inside the kernel.
extension EpollLoop {
  func forward(_ source: SocketID, to sink: SocketID) {
    sockets[Int(source.index)].sink = sink
    sockets[Int(sink.index)].source = source
  }

  /// Sends on what has come, once the sink takes it: until then it stays with its own kernel. Whether there may
  /// be something to receive instead: the stream's end, or urgent bytes, before which splice(2) stops.
  func forwardWaiting(
    _ socket: SocketID,
    _ sink: SocketID,
    _ passage: Passage,
    _ handler: some CompletionHandler
  ) -> Bool {
    let (index, other) = (Int(socket.index), Int(sink.index))
    guard sockets[other].writable, sockets[other].output.isEmpty else { return false }
    let move = passage.move(sockets[index].descriptor, to: sockets[other].descriptor, buffer) {
      sockets[other].output.append($0, pool)
    }
    if move.errno != 0 { sockets[other].writable = false }
    if move.errno != 0, move.errno != EAGAIN {
      sockets[other].output.clear(pool)
      failures.append((sink, move.errno))
    }
    guard move.received != 0, move.received != -Int(EAGAIN) else { return true }
    guard move.received > 0 else {
      sockets[index].readable = false
      sockets[index].reception = .off
      handler.completed(
        .failed(errno: Int32(-move.received)),
        tag: sockets[index].tag,
        socket: socket
      )
      return false
    }
    sockets[index].fullness.received(move.received)
    list(socket)
    handler.completed(
      .forwarded(move.received, owed: move.owed),
      tag: sockets[index].tag,
      socket: socket
    )
    return false
  }
}
