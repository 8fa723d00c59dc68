import Glibc

/// Bulky streams, which go from socket to socket inside the kernel.
extension UringLoop {
  func forward(_ source: SocketID, to sink: SocketID) {
    sockets[Int(source.index)].sink = sink
    sockets[Int(sink.index)].source = source
  }

  /// Sends on what has come, once the sink takes it: until then it stays with its own kernel.
  func forward(
    _ socket: SocketID,
    to sink: SocketID,
    _ passage: Passage,
    _ handler: some CompletionHandler
  ) {
    let (index, other) = (Int(socket.index), Int(sink.index))
    guard sockets[index].reception == .bytes else { return }
    // When it has taken what it is owed, the source is asked for again.
    guard sockets[other].writable, sockets[other].output.isEmpty else { return }
    // What it was given in this turn goes first, with the next submission.
    guard sockets[other].order < 0 else { return armReceive(socket) }
    setBlocking(index, false)
    setBlocking(other, false)
    let move = passage.move(sockets[index].descriptor, to: sockets[other].descriptor, large) {
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
    if move.received > 0 {
      sized(socket, move.received)
      handler.completed(
        .forwarded(move.received, owed: move.owed),
        tag: sockets[index].tag,
        socket: socket
      )
    } else {
      ended(Int32(move.received), socket, handler)
    }
    if isOpen(socket) { armReceive(socket) }
  }
}
