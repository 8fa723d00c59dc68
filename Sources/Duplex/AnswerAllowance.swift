/// How much of the shadows' answers is taken and thrown away: twice what the primaries answer, and 128 MB a second
/// more. A shadow that answers without end would otherwise have a processor of its own.
package struct AnswerAllowance: Sendable, Equatable {
  /// What is saved up at most: it may all be taken in one turn, some half a millisecond.
  package static let most = 2 << 20
  /// How often it is refilled, in nanoseconds, and by how much.
  package static let tick: UInt64 = 1_000_000
  private static let refill = 128 << 10
  /// What a shadow that goes on may take before it is looked at again.
  private static let share = 64 << 10

  private var left = most
  private var refilledAt: UInt64 = 0

  package init() {}

  package var isUsedUp: Bool { left <= 0 }

  package mutating func primaryAnswered(_ count: Int) {
    left = min(left + 2 * count, Self.most)
  }

  package mutating func shadowAnswered(_ count: Int) { left -= count }

  /// Adds what time has brought, and says how many shadows that rest may go on.
  package mutating func refill(now: UInt64) -> Int {
    let ticks = min((now &- refilledAt) / Self.tick, 64)
    if ticks > 0 {
      left = min(left + Int(ticks) * Self.refill, Self.most)
      refilledAt = now
    }
    return max(0, (left + Self.share - 1) / Self.share)
  }
}
