import CLinux
import Duplex

/// Carrying out what `Relay` decides about a client and its primary.
extension Server {
  func clientCompleted(_ completion: Completion, _ index: Int) {
    switch completion {
    case .received(let bytes):
      let route = connections[index].route
      routes[route].counters.bytesToPrimary += bytes.count
      if bytes.count >= Fullness.full { widenLanes(index) }
      let sending = loop.send(bytes, on: connections[index].primary)
      let actions = connections[index].relay.received(from: .client, sending)
      if connections[index].hasFront {
        copyFront(bytes, index)
      } else {
        for lane in connections[index].lanes.indices { copy(bytes, index, lane) }
      }
      carryOut(actions, index)
    case .settled(let owed):
      carryOut(connections[index].relay.settled(to: .client, owed: owed), index)
    case .sent(let count):
      carryOut(connections[index].relay.sent(to: .client, count: count), index)
    case .ended:
      let actions = connections[index].relay.ended(.client)
      finishLanes(index)
      carryOut(actions, index)
    case .failed, .lost:
      carryOut(connections[index].relay.failed(.client), index)
    case .sendFailed:
      carryOut(connections[index].relay.sendFailed(to: .client), index)
    case .accepted, .acceptFailed, .connected, .discarded, .forwarded: break
    }
  }

  func primaryCompleted(_ completion: Completion, _ index: Int) {
    switch completion {
    case .connected:
      connections[index].isPrimaryConnected = true
      if connections[index].hasFront { awaitFront(index) }
      carryOut(connections[index].relay.primaryConnected(), index)
    case .received(let bytes):
      routes[connections[index].route].counters.bytesToClient += bytes.count
      primaryAnswered(bytes.count, index)
      let sending = loop.send(bytes, on: connections[index].client)
      carryOut(connections[index].relay.received(from: .primary, sending), index)
      // A primary that waits for a header has had it by now; one that speaks before the client does expects none.
      if connections.isLive(index), connections[index].hasFront { waitedForFront(index) }
    case .forwarded(let count, let owed):
      routes[connections[index].route].counters.bytesToClient += count
      primaryAnswered(count, index)
      widenLanes(index)
      carryOut(connections[index].relay.received(from: .primary, .taken(owed: owed)), index)
    case .settled(let owed):
      carryOut(connections[index].relay.settled(to: .primary, owed: owed), index)
    case .sent(let count):
      carryOut(connections[index].relay.sent(to: .primary, count: count), index)
    case .ended:
      carryOut(connections[index].relay.ended(.primary), index)
    case .failed(let errno):
      primaryFailed(index, errno)
    case .sendFailed:
      carryOut(connections[index].relay.sendFailed(to: .primary), index)
    case .lost:
      // What the primary had sent is still there to be read; the failure comes after it.
      break
    case .accepted, .acceptFailed, .discarded: break
    }
  }

  func primaryFailed(_ index: Int, _ errno: Int32) {
    guard !connections[index].isPrimaryConnected else {
      let actions = connections[index].relay.failed(.primary)
      carryOut(actions, index)
      if !actions.contains(.reset) {
        lastWordDeadlines.add(
          connections.reference(to: index),
          now: clinux_monotonic_nanoseconds()
        )
      }
      return
    }
    let route = connections[index].route
    routes[route].counters.primaryConnectFailures += 1
    log.detail(
      "\(routes[route].address): no connection to the primary: \(String(errno: errno))"
    )
    carryOut(connections[index].relay.primaryConnectFailed(), index)
  }

  func carryOut(_ actions: Relay.Actions, _ index: Int) {
    guard actions.rawValue != 0 else { return }
    if actions.contains(.reset) {
      if !holdsBackReset(index) { endRelay(index, .reset) }
      return
    }
    let (client, primary) = (connections[index].client, connections[index].primary)
    // Closing sends the FIN that is still due.
    if actions.contains(.close) { return endRelay(index, .orderly) }
    if actions.contains(.finishPrimary) { loop.finish(primary) }
    if actions.contains(.finishClient) { loop.finish(client) }
    if actions.contains(.pauseClient) { loop.receive(client, .off) }
    if actions.contains(.pausePrimary) { loop.receive(primary, .off) }
    if actions.contains(.readClient) { loop.receive(client, .bytes) }
    if actions.contains(.readPrimary) { loop.receive(primary, .bytes) }
  }

  /// A reset throws away what the kernel has not delivered yet, and the primary had sent that before its own.
  private func holdsBackReset(_ index: Int) -> Bool {
    let client = connections[index].client
    guard connections[index].relay.isResetting, loop.hasUnacknowledged(client) else { return false }
    let now = clinux_monotonic_nanoseconds()
    let resetBy = connections[index].resetBy ?? now &+ limits.lastWords
    guard now < resetBy else { return false }
    loop.receive(client, .off)
    connections[index].resetBy = resetBy
    resetPolls.add(connections.reference(to: index), now: now)
    return true
  }

  func endRelay(_ index: Int, _ how: Closing) {
    let route = connections[index].route
    connections[index].isRelayOver = true
    routes[route].counters.open -= 1
    openRelays -= 1
    close(connections[index].client, how)
    close(connections[index].primary, how)
    log.detail(
      "\(routes[route].address): connection \(index) \(how == .reset ? "reset" : "closed")"
    )
    finishLanes(index)
    releaseIfOver(index)
    if connections.isLive(index) { linger(index) }
  }

  /// Leaves the shadows the time for the rest; those that have had it for longest no more of it, when they are many.
  private func linger(_ index: Int) {
    connections[index].isLingering = true
    lingeringCopies += connections[index].lanes.count { $0.socket != nil }
    lingerDeadlines.add(connections.reference(to: index), now: clinux_monotonic_nanoseconds())
    while lingeringCopies > limits.mostLingering / share.count,
      let oldest = lingerDeadlines.popFirst()
    {
      if connections[oldest] != nil { lingered(oldest.index) }
    }
  }

  func releaseIfOver(_ index: Int) {
    if connections[index].isOver { connections.release(index) }
  }
}
