import Glibc

/// Bulky streams, which go from socket to socket inside the kernel.
extension UringLoop {
  func forward(_ source: SocketID, to sink: SocketID) {
    sockets[Int(source.index)].sink = sink
    sockets[Int(sink.index)].source = source
  }

  /// Sends on what has come, once the sink takes it: until then it stays with its own kernel. Whether there may
  /// be something to receive instead: the stream's end, or urgent bytes, before which splice(2) stops.
  func forward(
    _ socket: SocketID,
    to sink: SocketID,
    _ passage: Passage,
    _ handler: some CompletionHandler
  ) -> Bool {
    let (index, other) = (Int(socket.index), Int(sink.index))
    // When it has taken what it is owed, the source is asked for again.
    guard sockets[other].writable, sockets[other].output.isEmpty else { return false }
    // What it was given in this turn goes first, with the next submission.
    guard sockets[other].order < 0 else {
      armReceive(socket)
      return false
    }
    setBlocking(index, false)
    setBlocking(other, false)
    let move = passage.move(sockets[index].descriptor, to: sockets[other].descriptor, buffer) {
      sockets[other].output.append($0, pool)
    }
    switch move.errno {
    case 0: break
    case EAGAIN: awaitRoom(sink)
    default:
      sockets[other].writable = false
      sockets[other].output.clear(pool)
      failures.append((sink, move.errno))
    }
    guard move.received != 0, move.received != -Int(EAGAIN) else { return true }
    guard move.received > 0 else {
      ended(Int32(move.received), socket, handler)
      return false
    }
    sized(socket, move.received)
    handler.completed(
      .forwarded(move.received, owed: move.owed),
      tag: sockets[index].tag,
      socket: socket
    )
    if isOpen(socket) { armReceive(socket) }
    return false
  }
}
