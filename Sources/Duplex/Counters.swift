/// What one route has done since the process started, and what it is doing now.
package struct RouteCounters: Sendable, Equatable {
  package var connections = 0
  package var open = 0
  /// Connections from addresses that are not allowed, closed at once.
  package var refused = 0
  package var bytesToPrimary = 0
  package var bytesToClient = 0
  package var primaryConnectFailures = 0
  /// In the order of a connection's lanes: the first shadow's copies, then the next one's.
  package var shadows: [ShadowCounters]
  /// Copies that were not begun, in the order of the route's shadows.
  package var skips: [[ShadowSkip: Int]]

  /// - Parameter copies: of each connection to each shadow.
  package init(shadows: Int, copies: Int = 1) {
    self.shadows = Array(repeating: ShadowCounters(), count: shadows * copies)
    skips = Array(repeating: [:], count: shadows)
  }

  /// What a shadow got in all its copies.
  package func total(ofShadow shadow: Int) -> ShadowCounters {
    let copies = shadows.count / skips.count
    return shadows[shadow * copies..<(shadow + 1) * copies].reduce(into: ShadowCounters()) {
      $0.add($1)
    }
  }

  /// Adds what one of another route's shadows got to what this one's has got.
  package mutating func add(shadow other: Int, of route: RouteCounters, toShadow shadow: Int) {
    shadows[shadow * (shadows.count / skips.count)].add(route.total(ofShadow: other))
    skips[shadow].merge(route.skips[other], uniquingKeysWith: +)
  }

  /// Adds what was counted apart from shadows.
  package mutating func addConnections(of other: RouteCounters) {
    connections += other.connections
    open += other.open
    refused += other.refused
    bytesToPrimary += other.bytesToPrimary
    bytesToClient += other.bytesToClient
    primaryConnectFailures += other.primaryConnectFailures
  }

  /// Adds what another thread counted for the same route.
  package mutating func add(_ other: RouteCounters) {
    addConnections(of: other)
    for index in shadows.indices { shadows[index].add(other.shadows[index]) }
    for index in skips.indices {
      skips[index].merge(other.skips[index], uniquingKeysWith: +)
    }
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
