/// So many a second, and some of them at once after a pause: the generic cell rate algorithm, whose whole state
/// is one time.
package struct TokenBucket: Sendable, Equatable {
  private let perSecond: UInt64
  /// How long a full bucket takes to fill.
  private let depth: UInt64
  /// When the bucket will be full again.
  private var fullAt: UInt64 = 0

  /// - Parameters:
  ///   - perSecond: at least 1.
  ///   - burst: what a full bucket holds; at least what is taken at once.
  package init(perSecond: Int, burst: Int) {
    self.perSecond = UInt64(perSecond)
    depth = UInt64(burst) * 1_000_000_000 / self.perSecond
  }

  /// Takes `count` tokens, all or none of them. Time is in nanoseconds, of a clock that never goes back.
  package mutating func take(_ count: Int, now: UInt64) -> Bool {
    let after = max(fullAt, now) + UInt64(count) * 1_000_000_000 / perSecond
    guard after - now <= depth else { return false }
    fullAt = after
    return true
  }
}
