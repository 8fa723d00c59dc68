import Testing

@testable import Duplex

@Suite struct CircuitBreakerTests {
  private static let second: UInt64 = 1_000_000_000
  private let second = Self.second

  private var settings: CircuitBreaker.Settings {
    var settings = CircuitBreaker.Settings()
    settings.connectFailures = 3
    settings.leastEnded = 4
    settings.longestPause = 4 * second
    return settings
  }

  /// One copy from its beginning to its end at the same time.
  private func copy(
    _ breaker: inout CircuitBreaker,
    _ drop: ShadowDrop?,
    at now: UInt64
  ) -> CircuitBreaker.Change? {
    let ticket = breaker.began().ticket
    if drop != .connectFailed, drop != .connectTimeout { breaker.connected(ticket, now: now) }
    return breaker.ended(ticket, drop, now: now)
  }

  private func opened(at now: UInt64 = 0) -> CircuitBreaker {
    var breaker = CircuitBreaker(settings)
    for _ in 0..<3 { _ = copy(&breaker, .connectFailed, at: now) }
    return breaker
  }

  @Test func `so many failed connects in a row open it, and the last one tells`() {
    var breaker = CircuitBreaker(settings)

    let changes = [ShadowDrop.connectFailed, .connectTimeout, .connectFailed].map {
      copy(&breaker, $0, at: 1)
    }

    #expect(changes == [nil, nil, .opened(.connectFailures(3), pause: second)])
    #expect(breaker.state == .open)
    #expect(breaker.openings == 1)
    #expect(!breaker.admits(now: 1))
  }

  @Test func `a connect that succeeds begins the row anew`() {
    var breaker = CircuitBreaker(settings)

    for _ in 0..<2 { _ = copy(&breaker, .connectFailed, at: 1) }
    breaker.connected(breaker.began().ticket, now: 1)
    let next = copy(&breaker, .connectFailed, at: 1)

    #expect(next == nil)
    #expect(breaker.state == .closed)
  }

  @Test func `more than half of the ended copies dropped open it, and exactly half do not`() {
    var breaker = CircuitBreaker(settings)

    let half = [nil, .lagging, nil, .budget].map { copy(&breaker, $0, at: 1) }
    let more = copy(&breaker, .unfinished, at: 1)

    #expect(half == [nil, nil, nil, nil])
    #expect(more == .opened(.drops(3, of: 5), pause: second))
  }

  @Test func `too few ended copies say nothing`() {
    var breaker = CircuitBreaker(settings)

    let changes = (0..<3).map { _ in copy(&breaker, .reset, at: 1) }

    #expect(changes == [nil, nil, nil])
  }

  @Test func `drops of another window are not counted`() {
    var breaker = CircuitBreaker(settings)

    let changes = (0..<8).map { copy(&breaker, .reset, at: UInt64($0) * 4 * second) }

    #expect(changes.allSatisfy { $0 == nil })
  }

  @Test(arguments: [ShadowDrop.closedEarly, .switchedOff])
  func `a drop that is no fault of the shadow's never opens it`(_ drop: ShadowDrop) {
    var breaker = CircuitBreaker(settings)

    let changes = (0..<100).map { _ in copy(&breaker, drop, at: 1) }

    #expect(changes.allSatisfy { $0 == nil })
    #expect(breaker.state == .closed)
  }

  @Test func `after the pause one copy is the probe, and no other is begun`() {
    var breaker = opened()

    #expect(!breaker.admits(now: second - 1))
    #expect(breaker.admits(now: second))
    #expect(breaker.state == .open)
    #expect(breaker.began().change == .probing)

    #expect(breaker.state == .halfOpen)
    #expect(!breaker.admits(now: 100 * second))
  }

  @Test func `a probe that ends in order closes it`() {
    var breaker = opened()

    #expect(copy(&breaker, nil, at: second) == .closed)

    #expect(breaker.admits(now: second))
    #expect(breaker.openings == 1)
  }

  @Test func `a probe that lives long enough closes it, from its connect on`() {
    var breaker = opened()
    let (ticket, _) = breaker.began()

    #expect(breaker.passed(now: 1000 * second) == nil)
    breaker.connected(ticket, now: 5 * second)
    #expect(breaker.passed(now: 15 * second - 1) == nil)
    #expect(breaker.passed(now: 15 * second) == .closed)
    #expect(breaker.passed(now: 16 * second) == nil)

    #expect(breaker.ended(ticket, .lagging, now: 20 * second) == nil)
    #expect(breaker.state == .closed)
  }

  @Test func `probes that fail double the pause up to the longest`() {
    var breaker = opened()
    var now = second

    let pauses = (0..<4).map { _ in
      let change = copy(&breaker, .connectFailed, at: now)
      now += 10 * second
      return change
    }

    #expect(
      pauses
        == [2, 4, 4, 4].map { .opened(.probeFailed(.connectFailed), pause: $0 * second) }
    )
    #expect(breaker.openings == 5)
  }

  @Test
  func `one that closes only for a moment goes on doubling, one that stays closed begins anew`() {
    var (relapsing, recovered) = (opened(), opened())
    for now in [second, second] {
      _ = copy(&relapsing, nil, at: now)
      _ = copy(&recovered, nil, at: now)
    }

    let relapse = (0..<3).map { _ in copy(&relapsing, .connectFailed, at: 2 * second) }.last
    let later = (0..<3).map { _ in copy(&recovered, .connectFailed, at: 5 * second) }.last

    #expect(relapse == .opened(.connectFailures(3), pause: 2 * second))
    #expect(later == .opened(.connectFailures(3), pause: second))
  }

  @Test func `copies of before it opened do not decide for the probe`() {
    var breaker = CircuitBreaker(settings)
    let old = (0..<3).map { _ in breaker.began().ticket }
    for _ in 0..<3 { _ = copy(&breaker, .connectFailed, at: 0) }
    _ = breaker.began()

    let ends = [nil, .lagging, .reset].enumerated().map { index, drop in
      breaker.ended(old[index], drop, now: second)
    }

    #expect(ends == [nil, nil, nil])
    #expect(breaker.state == .halfOpen)
  }

  @Test func `what was learnt is forgotten when copying is switched`() {
    var breaker = opened()
    let probe = breaker.began().ticket

    breaker.forget()

    #expect(breaker.state == .closed)
    #expect(breaker.admits(now: 1))
    #expect(breaker.ended(probe, .reset, now: 1) == nil)
    let again = (0..<3).map { _ in copy(&breaker, .connectFailed, at: 1) }.last
    #expect(again == .opened(.connectFailures(3), pause: second))
  }
}
