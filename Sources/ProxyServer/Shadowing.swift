import CLinux
import Duplex
import Glibc

/// How a shadow's answers, which are thrown away, are received: not before there are many, as looking for them is all
/// they cost, and in a buffer that stays small however fast they come.
enum Shadowing {
  /// Of each copy, each way; the kernel takes the double. What a shadow may lag is for the proxy to say, and the kernel's
  /// memory is everybody's.
  static let kernelBuffer = 128 << 10
  static let lowWater = 64 << 10
  /// The copies of a stream that proves bulky are wide: this much of their answers is awaited, and what they are sent is
  /// bounded by the kernel alone.
  static let wide = 1 << 20
  /// So many copies of one thread may be wide at a time.
  static let mostWide = 64
  /// So many connections are swept in one turn: those that began together are due together.
  static let sweepShare = 2
  /// So many copies that rest go on in one turn.
  static let wakeShare = 32
}

/// Carrying out what `ShadowLane` decides about one shadow of a connection.
extension Server {
  /// Sends the client's bytes to one shadow, or queues them, or gives the shadow up.
  func copy(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ lane: Int) {
    guard let socket = connections[index].lanes[lane].socket else { return }
    guard copying.isOn else { return carryOut(.drop(.switchedOff), index, lane) }
    let machine = connections[index].lanes[lane].machine
    if machine.isBehind, let reason = machine.refusal(of: bytes.count, budget) {
      return carryOut(.drop(reason), index, lane)
    }
    let sending = loop.send(bytes, on: socket)
    let owed = if case .taken(let owed) = sending { owed } else { 0 }
    routes[connections[index].route].counters.shadows[lane].bytes += bytes.count - owed
    if !connections[index].lanes[lane].isToBeSwept {
      connections[index].lanes[lane].isToBeSwept = true
      sweeps.add(connections.reference(to: index), now: clinux_monotonic_nanoseconds())
    }
    carryOut(connections[index].lanes[lane].machine.received(sending, &budget), index, lane)
  }

  /// Gives the shadows of a stream that has proved bulky more room, so that a large body fits, and large answers come in
  /// few pieces, for each of which the kernel has something to do.
  func widenLanes(_ index: Int) {
    let route = connections[index].route
    for lane in connections[index].lanes.indices where !connections[index].lanes[lane].isWide {
      let address = routes[route].route.shadows[shadow(of: lane, route)]
      guard address.family != AF_UNIX, wideLanes < Shadowing.mostWide,
        connections[index].lanes[lane].isConnected,
        let socket = connections[index].lanes[lane].socket
      else { continue }
      connections[index].lanes[lane].isWide = true
      wideLanes += 1
      clinux_widen_buffers(loop.descriptor(of: socket), Int32(Shadowing.wide))
    }
  }

  /// Throws away the few bytes that shadows have answered: kept, they would add up over many idle connections.
  func sweep(_ index: Int) {
    for lane in connections[index].lanes.indices where connections[index].lanes[lane].isToBeSwept {
      connections[index].lanes[lane].isToBeSwept = false
      guard let socket = connections[index].lanes[lane].socket,
        connections[index].lanes[lane].isConnected, !connections[index].lanes[lane].isResting
      else { continue }
      threwAway(loop.discard(socket, atMost: .max), index, lane, socket)
      guard connections.isLive(index) else { return }
    }
  }

  /// Where the allowance is used up, only the copy's own share; without one, its answers are left to its shadow's kernel for
  /// a while.
  func discardLimit(tag: Tag) -> Int {
    guard allowance.isUsedUp else { return .max }
    let now = clinux_monotonic_nanoseconds()
    allowance.refill(now: now)
    let (index, lane) = (tag.index, Int(tag.lane))
    guard allowance.isUsedUp, let socket = connections[index].lanes[lane].socket else {
      return .max
    }
    let share = connections[index].lanes[lane].answers.left
    if share > 0 { return share }
    loop.receive(socket, .off)
    connections[index].lanes[lane].isResting = true
    if !connections[index].lanes[lane].isInLine {
      connections[index].lanes[lane].isInLine = true
      restingLanes.add((connections.reference(to: index), lane), now: now)
    }
    return 0
  }

  /// Adds to the shares of its copies, and goes on with those that had none.
  func primaryAnswered(_ count: Int, _ index: Int) {
    for lane in connections[index].lanes.indices {
      connections[index].lanes[lane].answers.primaryAnswered(count)
      guard connections[index].lanes[lane].isResting,
        let socket = connections[index].lanes[lane].socket
      else { continue }
      connections[index].lanes[lane].isResting = false
      loop.receive(socket, .discard)
    }
  }

  /// Goes on with those that have rested longest, as far as there is an allowance for them.
  func wakeLanes(_ now: UInt64) {
    guard restingLanes.next != .max else { return }
    allowance.refill(now: now)
    for _ in 0..<Shadowing.wakeShare {
      guard !allowance.isUsedUp, let (connection, lane) = restingLanes.popFirst() else { return }
      guard connections[connection] != nil else { continue }
      let index = connection.index
      connections[index].lanes[lane].isInLine = false
      guard connections[index].lanes[lane].isResting,
        let socket = connections[index].lanes[lane].socket
      else { continue }
      connections[index].lanes[lane].isResting = false
      loop.receive(socket, .discard)
      threwAway(loop.discard(socket, atMost: .max), index, lane, socket)
    }
  }

  /// What became of looking at once: the loop would ask again before it says that the stream has ended, and a reset's errno
  /// is told but once.
  private func threwAway(_ result: Int, _ index: Int, _ lane: Int, _ socket: SocketID) {
    switch result {
    case 1...: shadowCompleted(.discarded(result), index, lane)
    case -Int(EAGAIN), -Int(EINTR): break
    default:
      loop.receive(socket, .off)
      shadowCompleted(result == 0 ? .ended : .failed(errno: Int32(-result)), index, lane)
    }
  }

  func finishLanes(_ index: Int) {
    if connections[index].hasFront { finishFront(index) }
    for lane in connections[index].lanes.indices where connections[index].lanes[lane].socket != nil
    {
      carryOut(connections[index].lanes[lane].machine.clientDone(), index, lane)
    }
  }

  func shadowCompleted(_ completion: Completion, _ index: Int, _ lane: Int) {
    let route = connections[index].route
    switch completion {
    case .connected:
      connections[index].lanes[lane].isConnected = true
      copyConnected(index, lane)
      if let socket = connections[index].lanes[lane].socket { loop.receive(socket, .discard) }
      carryOut(connections[index].lanes[lane].machine.shadowConnected(), index, lane)
    case .settled(let owed):
      routes[route].counters.shadows[lane].bytes -= owed
      carryOut(connections[index].lanes[lane].machine.settled(owed: owed, &budget), index, lane)
    case .sent(let count):
      routes[route].counters.shadows[lane].bytes += count
      carryOut(connections[index].lanes[lane].machine.sent(count, &budget), index, lane)
    case .discarded(let count):
      routes[route].counters.shadows[lane].answerBytes += count
      allowance.take(connections[index].lanes[lane].answers.shadowAnswered(count))
    case .ended:
      carryOut(connections[index].lanes[lane].machine.shadowDone(), index, lane)
    case .failed where !connections[index].lanes[lane].isConnected:
      carryOut(connections[index].lanes[lane].machine.connectFailed(), index, lane)
    case .failed(EPIPE), .sendFailed(EPIPE), .lost:
      // Linux says EPIPE, not ECONNRESET, of a peer that had sent its FIN before; and after its FIN nobody receives.
      carryOut(connections[index].lanes[lane].machine.refusedBytes(), index, lane)
    case .failed, .sendFailed:
      carryOut(connections[index].lanes[lane].machine.shadowReset(), index, lane)
    case .accepted, .acceptFailed, .received, .forwarded: break
    }
    if connections.isLive(index) { releaseIfOver(index) }
  }

  func carryOut(_ action: ShadowLane.Action, _ index: Int, _ lane: Int) {
    guard let socket = connections[index].lanes[lane].socket else { return }
    switch action {
    case .none: return
    case .finish: loop.finish(socket)
    case .close:
      // The last bytes may have come back as a reset, of which nobody has told yet.
      guard !loop.takeFailure(socket) else {
        return carryOut(connections[index].lanes[lane].machine.refusedBytes(), index, lane)
      }
      copyEnded(index, lane, nil)
      endLane(index, lane, socket, .orderly)
    case .drop(let reason):
      let route = connections[index].route
      copyEnded(index, lane, reason)
      routes[route].counters.shadows[lane].drops[reason, default: 0] += 1
      log.detail(
        "\(routes[route].address): connection \(index) lost its shadow: \(reason.rawValue)"
      )
      endLane(index, lane, socket, .reset)
    }
  }

  private func endLane(_ index: Int, _ lane: Int, _ socket: SocketID, _ how: Closing) {
    connections[index].lanes[lane].machine.release(&budget)
    connections[index].lanes[lane].socket = nil
    if connections[index].lanes[lane].isWide { wideLanes -= 1 }
    if connections[index].isLingering { lingeringCopies -= 1 }
    routes[connections[index].route].counters.shadows[lane].open -= 1
    close(socket, how)
  }
}
