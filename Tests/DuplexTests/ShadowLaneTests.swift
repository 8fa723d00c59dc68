import Testing

@testable import Duplex

@Suite struct ShadowLaneTests {
  @Test func `the end waits for bytes that are under way, and for those of them that are queued`() {
    var budget = ShadowBudget(perConnection: 10, total: 20)
    var lane = ShadowLane()
    #expect(lane.shadowConnected() == .none)

    #expect(lane.received(.underway, &budget) == .none)
    #expect(lane.clientDone() == .none)
    #expect(lane.settled(owed: 3, &budget) == .none)
    #expect(budget.used == 3)
    #expect(lane.sent(3, &budget) == .finish)
    #expect(budget.used == 0)
  }

  @Test func `a shadow that lags with what was under way is dropped`() {
    var budget = ShadowBudget(perConnection: 10, total: 20)
    var lane = ShadowLane()
    #expect(lane.shadowConnected() == .none)

    #expect(lane.received(.underway, &budget) == .none)
    #expect(lane.settled(owed: 11, &budget) == .drop(.lagging))
  }

  @Test func `what is queued counts against the budget until it is sent`() {
    var lane = ShadowLane()
    var budget = ShadowBudget(perConnection: 10, total: 15)

    #expect(lane.received(.taken(owed: 8), &budget) == .none)
    #expect(budget.used == 8)
    #expect(lane.shadowConnected() == .none)
    #expect(lane.sent(5, &budget) == .none)

    #expect(lane.queued == 3)
    #expect(budget.used == 3)
  }

  @Test func `a shadow that lags more than its connection may is dropped`() {
    var lane = ShadowLane()
    var budget = ShadowBudget(perConnection: 10, total: 100)

    #expect(lane.received(.taken(owed: 10), &budget) == .none)
    #expect(lane.refusal(of: 1, budget) == .lagging)
    #expect(lane.received(.taken(owed: 1), &budget) == .drop(.lagging))
    lane.release(&budget)

    #expect(budget.used == 0)
  }

  @Test func `a shadow is dropped when all of them together lag too much`() {
    var (one, two) = (ShadowLane(), ShadowLane())
    var budget = ShadowBudget(perConnection: 10, total: 15)

    #expect(one.received(.taken(owed: 10), &budget) == .none)
    #expect(two.refusal(of: 6, budget) == .budget)
    #expect(two.received(.taken(owed: 6), &budget) == .drop(.budget))
    two.release(&budget)

    #expect(budget.used == 10)
  }

  @Test func `the FIN follows the last queued byte, and the close follows the shadow's FIN`() {
    var lane = ShadowLane()
    var budget = ShadowBudget(perConnection: 10, total: 15)

    #expect(lane.received(.taken(owed: 2), &budget) == .none)
    #expect(lane.clientDone() == .none)
    #expect(lane.shadowConnected() == .none)
    #expect(lane.sent(2, &budget) == .finish)
    #expect(lane.shadowDone() == .close)
  }

  @Test func `a shadow that ended early keeps receiving until it fails`() {
    var lane = ShadowLane()
    var budget = ShadowBudget(perConnection: 10, total: 15)

    #expect(lane.shadowConnected() == .none)
    #expect(lane.shadowDone() == .none)
    #expect(lane.received(.taken(owed: 2), &budget) == .none)
    #expect(lane.refusedBytes() == .drop(.closedEarly))
  }

  @Test func `reasons are told apart`() {
    var connected = ShadowLane()
    #expect(connected.shadowConnected() == .none)

    #expect(ShadowLane().connectFailed() == .drop(.connectFailed))
    #expect(ShadowLane().connectTimedOut() == .drop(.connectTimeout))
    #expect(connected.connectTimedOut() == .none)
    #expect(connected.shadowReset() == .drop(.reset))
    #expect(connected.gaveUp() == .drop(.unfinished))
    #expect(connected.clientDone() == .finish)
    #expect(connected.gaveUp() == .drop(.unfinished))
    #expect(connected.shadowReset() == .drop(.reset))
  }
}
