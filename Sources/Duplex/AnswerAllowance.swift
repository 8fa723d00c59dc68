/// What is taken and thrown away of the shadows' answers beyond what each copy may have by itself (`AnswerShare`): 128 MB a
/// second for all copies of a thread. A shadow that answers without end would otherwise have a processor of its own.
package struct AnswerAllowance: Sendable, Equatable {
  /// What is saved up at most.
  package static let most = 32 << 20
  /// What is taken in one turn: less than a tenth of a millisecond.
  package static let mostOfATurn = 128 << 10
  /// How often it is refilled, in nanoseconds, and by how much.
  package static let tick: UInt64 = 1_000_000
  private static let refill = 128 << 10

  private var left = most
  private var leftOfTurn = mostOfATurn
  private var refilledAt: UInt64 = 0

  package init() {}

  package var isUsedUp: Bool { left <= 0 || leftOfTurn <= 0 }

  /// When time brings some, if nothing is left; else 0.
  package var returnsAt: UInt64 { left <= 0 ? refilledAt &+ Self.tick : 0 }

  package mutating func turnBegins() { leftOfTurn = Self.mostOfATurn }

  package mutating func take(_ count: Int) {
    left -= count
    leftOfTurn -= count
  }

  /// Adds what time has brought.
  package mutating func refill(now: UInt64) {
    let ticks = min((now &- refilledAt) / Self.tick, 64)
    guard ticks > 0 else { return }
    left = min(left + Int(ticks) * Self.refill, Self.most)
    refilledAt = now
  }
}

/// What one copy may answer whatever other shadows do: twice what its primary has answered.
package struct AnswerShare: Sendable, Equatable {
  /// What is saved up at most: a shadow may be behind its primary for a while.
  package static let most = 32 << 20

  package private(set) var left = 0

  package init() {}

  package mutating func primaryAnswered(_ count: Int) { left = min(left + 2 * count, Self.most) }

  /// How much of the shadow's answer goes beyond it.
  package mutating func shadowAnswered(_ count: Int) -> Int {
    let own = min(count, left)
    left -= own
    return count - own
  }
}
