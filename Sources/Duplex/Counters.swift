/// What one route has done since the process started, and what it is doing now.
package struct RouteCounters: Sendable, Equatable {
  package var connections = 0
  package var open = 0
  package var bytesToPrimary = 0
  package var bytesToClient = 0
  package var primaryConnectFailures = 0
  /// In the order of a connection's lanes: the first shadow's copies, then the next one's.
  package var shadows: [ShadowCounters]
  /// In the order of the route's shadows.
  package var gates: [GateCounters]

  /// - Parameter copies: of each connection to each shadow.
  package init(shadows: Int, copies: Int = 1) {
    self.shadows = Array(repeating: ShadowCounters(), count: shadows * copies)
    gates = Array(repeating: GateCounters(), count: shadows)
  }

  /// What a shadow got in all its copies.
  package func total(ofShadow shadow: Int) -> ShadowCounters {
    let copies = shadows.count / gates.count
    return shadows[shadow * copies..<(shadow + 1) * copies].reduce(into: ShadowCounters()) {
      $0.add($1)
    }
  }

  /// Adds to what a shadow got.
  package mutating func add(_ counters: ShadowCounters, toShadow shadow: Int) {
    shadows[shadow * (shadows.count / gates.count)].add(counters)
  }

  /// Adds what was counted apart from shadows.
  package mutating func addConnections(of other: RouteCounters) {
    connections += other.connections
    open += other.open
    bytesToPrimary += other.bytesToPrimary
    bytesToClient += other.bytesToClient
    primaryConnectFailures += other.primaryConnectFailures
  }

  /// Adds what another thread counted for the same route.
  package mutating func add(_ other: RouteCounters) {
    addConnections(of: other)
    for index in shadows.indices { shadows[index].add(other.shadows[index]) }
    for index in gates.indices { gates[index].add(other.gates[index]) }
  }
}

/// What one shadow of one route got; where each connection is copied to it more than once, what one of its copies
/// got.
package struct ShadowCounters: Sendable, Equatable {
  package var connections = 0
  package var open = 0
  /// Bytes its sockets took.
  package var bytes = 0
  /// Bytes it answered, all thrown away.
  package var answerBytes = 0
  package var drops: [ShadowDrop: Int] = [:]

  package init() {}

  fileprivate mutating func add(_ other: ShadowCounters) {
    connections += other.connections
    open += other.open
    bytes += other.bytes
    answerBytes += other.answerBytes
    drops.merge(other.drops, uniquingKeysWith: +)
  }
}

/// What one shadow of one route did not get, and why.
package struct GateCounters: Sendable, Equatable {
  /// Copies that were not begun.
  package var skips: [ShadowSkip: Int] = [:]
  /// How its breaker is and how often it has opened; nil where it has none.
  package var breaker: Breaker?

  package init() {}

  package struct Breaker: Sendable, Equatable {
    package var state: CircuitBreaker.State
    package var openings: Int

    package init(_ breaker: CircuitBreaker) {
      state = breaker.state
      openings = breaker.openings
    }
  }

  /// Each thread has a breaker of its own: what is told of all is the worst.
  fileprivate mutating func add(_ other: GateCounters) {
    skips.merge(other.skips, uniquingKeysWith: +)
    guard let theirs = other.breaker else { return }
    breaker?.openings += theirs.openings
    if theirs.state.rawValue > breaker?.state.rawValue ?? 0 { breaker?.state = theirs.state }
  }
}
