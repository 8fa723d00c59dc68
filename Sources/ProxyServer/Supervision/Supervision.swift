/// What a supervisor has done so far, for /metrics.
package struct SupervisionCounters: Sendable, Equatable {
  /// Workers started because one had died.
  package var restarts = 0
  package var upgrades = 0
  package var reloads = 0
  /// Seconds since the epoch; 0 while copying is on.
  package var copyingOffSince = 0

  package init() {}
}

/// Who tells a proxy what to do while it runs; a proxy of its own has nobody.
struct Supervision: Sendable {
  var counters = SupervisionCounters()
  /// Called by the leader once all threads have carried out what was asked for, and when copying is switched.
  var carriedOut: @Sendable (Order) -> Void = { _ in }

  enum Order {
    case handOver, configure
    case copying(isOn: Bool)
  }
}
