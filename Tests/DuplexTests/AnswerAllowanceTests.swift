import Testing

@testable import Duplex

@Suite struct AnswerAllowanceTests {
  private let now: UInt64 = 1_000_000_000

  /// Nothing saved up, and refilled now.
  private func used() -> AnswerAllowance {
    var allowance = AnswerAllowance()
    allowance.refill(now: now)
    allowance.shadowAnswered(AnswerAllowance.most)
    allowance.turnBegins()
    return allowance
  }

  @Test func `shadows that answer as primaries do are never held up`() {
    var allowance = used()

    for _ in 0..<1000 {
      allowance.turnBegins()
      allowance.primaryAnswered(1_000_000, copies: 3)
      #expect(!allowance.isUsedUp)
      for _ in 0..<3 { allowance.shadowAnswered(1_999_999) }
    }

    #expect(!allowance.isUsedUp)
  }

  @Test func `time brings a little, and it is known when`() {
    var allowance = used()

    #expect(allowance.isUsedUp)
    #expect(allowance.returnsAt == now + AnswerAllowance.tick)
    allowance.refill(now: now + AnswerAllowance.tick - 1)
    #expect(allowance.isUsedUp)
    allowance.refill(now: now + AnswerAllowance.tick)
    #expect(!allowance.isUsedUp && allowance.returnsAt == 0)
    allowance.shadowAnswered(200_000)
    allowance.turnBegins()
    allowance.refill(now: now + AnswerAllowance.tick)
    #expect(allowance.isUsedUp)
    allowance.refill(now: now + 2 * AnswerAllowance.tick)
    #expect(!allowance.isUsedUp)
  }

  @Test func `what is saved up has a bound`() {
    var allowance = AnswerAllowance()

    allowance.primaryAnswered(1 << 40, copies: 1)
    allowance.refill(now: .max)
    allowance.shadowAnswered(AnswerAllowance.most)

    allowance.turnBegins()
    #expect(allowance.isUsedUp)
  }

  @Test func `a turn takes its part of what is saved up, and more where primaries answer`() {
    var allowance = AnswerAllowance()
    allowance.turnBegins()

    allowance.shadowAnswered(AnswerAllowance.mostOfATurn)
    #expect(allowance.isUsedUp && allowance.returnsAt == 0)
    allowance.primaryAnswered(500, copies: 1)
    #expect(!allowance.isUsedUp)
    allowance.shadowAnswered(1000)
    #expect(allowance.isUsedUp)
    allowance.turnBegins()

    #expect(!allowance.isUsedUp)
  }
}
