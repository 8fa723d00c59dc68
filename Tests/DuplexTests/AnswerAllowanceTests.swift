import Testing

@testable import Duplex

@Suite struct AnswerAllowanceTests {
  private let now: UInt64 = 1_000_000_000

  /// Nothing saved up, and refilled now.
  private func used() -> AnswerAllowance {
    var allowance = AnswerAllowance()
    _ = allowance.refill(now: now)
    allowance.shadowAnswered(AnswerAllowance.most)
    return allowance
  }

  @Test func `shadows that answer as primaries do are never held up`() {
    var allowance = used()

    for _ in 0..<1000 {
      allowance.primaryAnswered(1_000_000)
      #expect(!allowance.isUsedUp)
      allowance.shadowAnswered(1_999_999)
    }

    #expect(!allowance.isUsedUp)
  }

  @Test func `time brings a little, and so many shadows go on`() {
    var allowance = used()

    #expect(allowance.isUsedUp)
    #expect(allowance.refill(now: now + AnswerAllowance.tick - 1) == 0)
    #expect(allowance.refill(now: now + AnswerAllowance.tick) == 2)
    allowance.shadowAnswered(200_000)
    #expect(allowance.refill(now: now + AnswerAllowance.tick) == 0)
    #expect(allowance.refill(now: now + 2 * AnswerAllowance.tick) == 1)
  }

  @Test func `what is saved up has a bound`() {
    var allowance = AnswerAllowance()

    allowance.primaryAnswered(1 << 40)
    _ = allowance.refill(now: .max)
    allowance.shadowAnswered(AnswerAllowance.most)

    #expect(allowance.isUsedUp)
  }
}
