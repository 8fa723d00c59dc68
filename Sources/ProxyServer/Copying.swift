import CLinux
import Duplex

/// Which copies of a new connection are begun, and telling the breakers what became of them.
extension Server {
  /// Why nothing of a new client's connection is to be copied; nil when it is. The kernel is asked for the client's
  /// address only where the route has a sample.
  func skip(of descriptor: Int32, _ route: Int) -> ShadowSkip? {
    guard copying.isOn else { return .off }
    guard let sample = routes[route].route.copying.sample else { return nil }
    let isChosen = sample.contains(
      IPAddress(peerOf: descriptor),
      connection: routes[route].counters.connections
    )
    return isChosen ? nil : .sample
  }

  /// Lanes for all copies of all shadows. A connection that is not copied has none, and its bytes pass no lane.
  func lanes(_ route: Int, _ skip: ShadowSkip?) -> [Connection.Lane] {
    let target = routes[route].route
    let count = skip == nil ? target.shadows.count * target.copying.copies : 0
    return Array(repeating: Connection.Lane(), count: count)
  }

  func beginCopies(_ index: Int, _ skip: ShadowSkip?, _ now: UInt64) {
    let route = connections[index].route
    let copies = routes[route].route.copying.copies
    for shadow in routes[route].route.shadows.indices {
      if let skip {
        count(skip, copies, route, shadow)
        continue
      }
      let (change, admission) = gates.with(route, shadow) {
        ($0.passed(now: now), $0.admit(copies: copies, now: now))
      }
      tell(change, route, shadow)
      switch admission {
      case .skip(let reason): count(reason, copies, route, shadow)
      case .begin(let begun):
        if begun < copies { count(.breaker, copies - begun, route, shadow) }
        for copy in 0..<begun { beginCopy(index, shadow * copies + copy, shadow, now) }
      }
    }
  }

  func copyConnected(_ index: Int, _ lane: Int) {
    let route = connections[index].route
    let ticket = connections[index].lanes[lane].ticket
    let now = clinux_monotonic_nanoseconds()
    gates.with(route, shadow(of: lane, route)) { $0.connected(ticket, now: now) }
  }

  /// - Parameter drop: nil when the copy ended in order.
  func copyEnded(_ index: Int, _ lane: Int, _ drop: ShadowDrop?) {
    let route = connections[index].route
    let shadow = shadow(of: lane, route)
    let ticket = connections[index].lanes[lane].ticket
    let now = clinux_monotonic_nanoseconds()
    let wasConnected = connections[index].lanes[lane].isConnected
    let change = gates.with(route, shadow) {
      $0.ended(ticket, drop, wasConnected: wasConnected, now: now)
    }
    tell(change, route, shadow)
  }

  private func beginCopy(_ index: Int, _ lane: Int, _ shadow: Int, _ now: UInt64) {
    let route = connections[index].route
    let tag = Tag(role: .shadow, lane: UInt16(lane), index: index)
    guard canOpenShadow, let socket = open(routes[route].route.shadows[shadow], tag: tag) else {
      return count(.descriptors, 1, route, shadow)
    }
    routes[route].counters.shadows[lane].connections += 1
    routes[route].counters.shadows[lane].open += 1
    let (ticket, change) = gates.with(route, shadow) { $0.began(now: now) }
    connections[index].lanes[lane].socket = socket
    connections[index].lanes[lane].ticket = ticket
    tell(change, route, shadow)
  }

  private func count(_ skip: ShadowSkip, _ copies: Int, _ route: Int, _ shadow: Int) {
    routes[route].counters.skips[shadow][skip, default: 0] += copies
  }

  func shadow(of lane: Int, _ route: Int) -> Int {
    lane / routes[route].route.copying.copies
  }

  /// A line for each change of a breaker. Its pauses bound how many there are.
  func tell(_ change: CircuitBreaker.Change?, _ route: Int, _ shadow: Int) {
    guard let change else { return }
    log.line("\(routes[route].address): shadow \(routes[route].route.shadows[shadow]): \(change)")
  }
}

extension CircuitBreaker.Change: CustomStringConvertible {
  package var description: String {
    switch self {
    case .opened(let reason, let pause):
      "\(reason): no copies for \(Double(pause) / 1e9) s, then one as a probe"
    case .probing: "one copy is begun as a probe"
    case .closed: "the probe went well, connections are copied again"
    }
  }
}

extension CircuitBreaker.Reason: CustomStringConvertible {
  package var description: String {
    switch self {
    case .connectFailures(let count): "\(count) connects failed one after the other"
    case .drops(let count, let ended): "\(count) of the last \(ended) copies were dropped"
    case .probeFailed(let drop): "the probe failed, \(drop.rawValue)"
    }
  }
}
