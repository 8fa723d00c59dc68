/// How long to wait before a worker that died gets a successor: not at all after one that had worked for a while,
/// twice as long each time after others.
package struct RestartBackoff: Sendable, Equatable {
  /// Nanoseconds that a worker has to live to count as one that worked.
  package static let calm: UInt64 = 250_000_000
  package static let first: UInt64 = 1_000_000
  package static let longest: UInt64 = 5_000_000_000

  private var nextDelay: UInt64 = 0

  package init() {}

  /// Nanoseconds to wait after a worker that lived for so long.
  package mutating func delay(afterLivingFor lifetime: UInt64) -> UInt64 {
    if lifetime >= Self.calm, lifetime >= nextDelay { nextDelay = 0 }
    defer { nextDelay = nextDelay == 0 ? Self.first : min(nextDelay * 2, Self.longest) }
    return nextDelay
  }
}
