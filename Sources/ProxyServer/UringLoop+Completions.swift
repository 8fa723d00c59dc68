import CLinux
import CURing
import Glibc

/// What the kernel says, and what the server is told of it.
extension UringLoop {
  func took(_ completion: curing_completion, _ handler: some CompletionHandler) {
    guard let kind = UringSocket.Kind(rawValue: completion.data >> 60), kind != .ignored,
      kind != .send
    else {
      return
    }
    let socket = SocketID(
      index: UInt32(truncatingIfNeeded: completion.data),
      generation: UInt32(truncatingIfNeeded: completion.data >> 32) & Self.generationMask
    )
    let buffer = curing_buffer(completion.flags)
    guard isOpen(socket) else {
      if buffer >= 0 { small.give(UInt16(buffer)) }
      return
    }
    switch kind {
    case .ignored, .send: break
    case .accept: becameAcceptable(socket, handler)
    case .connect: connected(completion.result, socket, handler)
    case .small: received(completion, socket, handler)
    case .large: becameReadable(completion, socket, handler)
    case .discard: becameDiscardable(completion, socket, handler)
    case .room:
      sockets[Int(socket.index)].awaitsRoom = false
      sockets[Int(socket.index)].writable = true
      flush(socket, handler)
    case .watch: broke(completion.result, socket, handler)
    }
  }

  private func becameAcceptable(_ listener: SocketID, _ handler: some CompletionHandler) {
    let index = Int(listener.index)
    sockets[index].isAccepting = false
    let tag = sockets[index].tag
    for _ in 0..<Self.acceptShare {
      guard isOpen(listener), sockets[index].accepting else { return }
      let descriptor = clinux_accept_blocking(sockets[index].descriptor)
      switch descriptor {
      case 0...: handler.completed(.accepted(descriptor), tag: tag, socket: listener)
      case -EAGAIN: return armAccept(listener)
      case -ECONNABORTED, -EINTR: continue
      default:
        sockets[index].accepting = false
        handler.completed(.acceptFailed(errno: -descriptor), tag: tag, socket: listener)
      }
    }
    if isOpen(listener) { armAccept(listener) }
  }

  func connected(
    _ result: Int32,
    _ socket: SocketID,
    _ handler: some CompletionHandler
  ) {
    let index = Int(socket.index)
    sockets[index].isConnectAsked = false
    guard result == 0 else {
      return handler.completed(.failed(errno: -result), tag: sockets[index].tag, socket: socket)
    }
    sockets[index].connecting = false
    sockets[index].writable = true
    handler.completed(.connected, tag: sockets[index].tag, socket: socket)
    guard isOpen(socket) else { return }
    armReceive(socket)
    flush(socket, handler)
  }

  private func received(
    _ completion: curing_completion,
    _ socket: SocketID,
    _ handler: some CompletionHandler
  ) {
    let index = Int(socket.index)
    receiveCompleted(completion, index)
    let count = Int(completion.result)
    let number = curing_buffer(completion.flags)
    if count > 0, number >= 0 {
      sized(socket, count)
      let bytes = UnsafeRawBufferPointer(start: small.address(UInt16(number)), count: count)
      delivered = bytes
      deliver(bytes, socket, handler)
      delivered = UnsafeRawBufferPointer(start: nil, count: 0)
    }
    if number >= 0 {
      if deliveredIsHeld {
        deliveredIsHeld = false
        asked.hold(UInt16(number))
      } else {
        small.give(UInt16(number))
      }
    }
    if count <= 0 { ended(completion.result, socket, handler) }
    if isOpen(socket) { armReceive(socket) }
  }

  private func receiveCompleted(_ completion: curing_completion, _ index: Int) {
    guard curing_has_more(completion.flags) == 0 else { return }
    sockets[index].receive = .none
    sockets[index].isCancelling = false
  }

  /// Receives from a bulky stream what it has, up to its share of the turn.
  private func becameReadable(
    _ completion: curing_completion,
    _ socket: SocketID,
    _ handler: some CompletionHandler
  ) {
    let index = Int(socket.index)
    receiveCompleted(completion, index)
    guard completion.result != -ECANCELED else { return armReceive(socket) }
    if sockets[index].reception == .bytes, sockets[index].held.isEmpty,
      let sink = sockets[index].sink, isOpen(sink), let passage,
      !forward(socket, to: sink, passage, handler)
    {
      return
    }
    for _ in 0..<Self.share {
      guard isOpen(socket), sockets[index].reception == .bytes else { return }
      let count = clinux_receive(sockets[index].descriptor, buffer.baseAddress, buffer.count)
      guard count > 0 else {
        ended(Int32(count), socket, handler)
        break
      }
      sized(socket, count)
      deliver(UnsafeRawBufferPointer(rebasing: buffer[..<count]), socket, handler)
      if count < Self.largeSize { break }
    }
    if isOpen(socket) { armReceive(socket) }
  }

  /// Learns from how full a buffer came whether the stream is bulky.
  func sized(_ socket: SocketID, _ count: Int) {
    let index = Int(socket.index)
    sockets[index].fullness.received(count)
    if sockets[index].receive == .small, sockets[index].fullness.isBulky { cancelReceive(socket) }
  }

  private func deliver(
    _ bytes: UnsafeRawBufferPointer,
    _ socket: SocketID,
    _ handler: some CompletionHandler
  ) {
    let index = Int(socket.index)
    let tag = sockets[index].tag
    if sockets[index].reception == .bytes, sockets[index].held.isEmpty {
      handler.completed(.received(bytes), tag: tag, socket: socket)
    } else {
      sockets[index].held.append(Chunk(copying: bytes))
    }
  }

  private func becameDiscardable(
    _ completion: curing_completion,
    _ socket: SocketID,
    _ handler: some CompletionHandler
  ) {
    let index = Int(socket.index)
    receiveCompleted(completion, index)
    let tag = sockets[index].tag
    guard completion.result != -ECANCELED else { return armReceive(socket) }
    while isOpen(socket), sockets[index].reception == .discard {
      let limit = handler.discardLimit(tag: tag)
      guard limit > 0 else { return }
      let count = discard(socket, atMost: limit)
      guard count > 0 else {
        ended(Int32(count), socket, handler)
        break
      }
      handler.completed(.discarded(count), tag: tag, socket: socket)
      // What is left may be too little to be reported.
      if count < limit { break }
    }
    if isOpen(socket) { armReceive(socket) }
  }

  /// The stream's end: 0 for a FIN, else an errno. Some results mean only to ask again.
  func ended(_ result: Int32, _ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    switch result {
    case -ECANCELED, -ENOBUFS, -EINTR, -EAGAIN: return
    default: break
    }
    guard sockets[index].reception != .off, sockets[index].held.isEmpty else {
      sockets[index].heldEnd = result
      return
    }
    sockets[index].reception = .off
    isHurried = true
    let tag = sockets[index].tag
    if result == 0 {
      handler.completed(.ended, tag: tag, socket: socket)
      if isOpen(socket) { watch(socket) }
    } else {
      handler.completed(.failed(errno: -result), tag: tag, socket: socket)
    }
  }

  private func broke(_ events: Int32, _ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    guard events > 0, events & Int32(POLLERR) != 0 else { return }
    sockets[index].isWatched = false
    guard sockets[index].reception == .off else { return }
    sockets[index].isWatched = true
    handler.completed(.lost, tag: sockets[index].tag, socket: socket)
  }

  /// Hands over what came while the server did not want it.
  func handOver(_ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    while isOpen(socket), sockets[index].reception != .off, !sockets[index].held.isEmpty {
      let chunk = sockets[index].held.removeFirst()
      withExtendedLifetime(chunk) {
        handler.completed(.received(chunk.bytes), tag: sockets[index].tag, socket: socket)
      }
    }
    guard isOpen(socket), sockets[index].reception != .off, sockets[index].held.isEmpty,
      let end = sockets[index].heldEnd
    else { return }
    sockets[index].heldEnd = nil
    ended(end, socket, handler)
  }

  /// Sends what is owed, as far as the socket takes it.
  private func flush(_ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    let (taken, errno) = sockets[index].output.send(to: sockets[index].descriptor, pool)
    switch errno {
    case 0: break
    case EAGAIN: awaitRoom(socket)
    default:
      sockets[index].writable = false
      failures.append((socket, errno))
    }
    if taken > 0 { handler.completed(.sent(taken), tag: sockets[index].tag, socket: socket) }
    if isOpen(socket), let source = sockets[index].source, isOpen(source) { armReceive(source) }
  }

  func reportFailures(_ handler: some CompletionHandler) {
    // Reporting one may cause another; that one is for the next turn.
    guard !failures.isEmpty else { return }
    let reported = failures
    failures = []
    for (socket, errno) in reported where isOpen(socket) {
      let index = Int(socket.index)
      if sockets[index].connecting {
        connected(-errno, socket, handler)
      } else {
        handler.completed(.sendFailed(errno: errno), tag: sockets[index].tag, socket: socket)
      }
    }
  }
}
