/// So many a second, and some of them at once after a pause: the generic cell rate algorithm, whose whole state
/// is one time.
package struct TokenBucket: Sendable, Equatable {
  private let tokens: UInt64
  private let period: UInt64
  /// How long a full bucket takes to fill.
  private let depth: UInt64
  /// When the bucket will be full again.
  private var fullAt: UInt64 = 0

  /// - Parameters:
  ///   - tokens: at least 1, in so many seconds.
  ///   - burst: what a full bucket holds; at least what is taken at once.
  package init(tokens: Int, perSeconds seconds: Int = 1, burst: Int) {
    self.tokens = UInt64(tokens)
    period = UInt64(seconds) * 1_000_000_000
    depth = UInt64(burst) * period / self.tokens
  }

  /// Takes `count` tokens, all or none of them. Time is in nanoseconds, of a clock that never goes back.
  package mutating func take(_ count: Int, now: UInt64) -> Bool {
    let after = max(fullAt, now) + UInt64(count) * period / tokens
    guard after - now <= depth else { return false }
    fullAt = after
    return true
  }
}
