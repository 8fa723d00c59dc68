import Testing

@testable import Duplex

@Suite struct AnswerAllowanceTests {
  private let now: UInt64 = 1_000_000_000

  /// Nothing saved up, and refilled now.
  private func used() -> AnswerAllowance {
    var allowance = AnswerAllowance()
    allowance.refill(now: now)
    allowance.take(AnswerAllowance.most)
    allowance.turnBegins()
    return allowance
  }

  @Test func `time brings a little, and it is known when`() {
    var allowance = used()

    #expect(allowance.isUsedUp)
    #expect(allowance.returnsAt == now + AnswerAllowance.tick)
    allowance.refill(now: now + AnswerAllowance.tick - 1)
    #expect(allowance.isUsedUp)
    allowance.refill(now: now + AnswerAllowance.tick)
    #expect(!allowance.isUsedUp && allowance.returnsAt == 0)
    allowance.take(200_000)
    allowance.turnBegins()
    allowance.refill(now: now + AnswerAllowance.tick)
    #expect(allowance.isUsedUp)
    allowance.refill(now: now + 2 * AnswerAllowance.tick)
    #expect(!allowance.isUsedUp)
  }

  @Test func `what is saved up has a bound`() {
    var allowance = AnswerAllowance()

    allowance.refill(now: .max)
    allowance.take(AnswerAllowance.most)

    allowance.turnBegins()
    #expect(allowance.isUsedUp)
  }

  @Test func `a turn takes its part of what is saved up`() {
    var allowance = AnswerAllowance()
    allowance.turnBegins()

    allowance.take(AnswerAllowance.mostOfATurn)
    #expect(allowance.isUsedUp && allowance.returnsAt == 0)
    allowance.turnBegins()

    #expect(!allowance.isUsedUp)
  }

  @Test func `a copy that answers as its primary does takes nothing of what is for all`() {
    var share = AnswerShare()

    for _ in 0..<1000 {
      share.primaryAnswered(1_000_000)
      #expect(share.shadowAnswered(1_000_000) == 0)
    }

    #expect(share.left + 1_000_000 == AnswerShare.most)
  }

  @Test func `what goes beyond twice the primary's answer is taken from what is for all`() {
    var share = AnswerShare()

    #expect(share.shadowAnswered(10) == 10)
    share.primaryAnswered(100)
    #expect(share.shadowAnswered(150) == 0)
    #expect(share.shadowAnswered(150) == 100)
    #expect(share.left == 0)
  }
}
