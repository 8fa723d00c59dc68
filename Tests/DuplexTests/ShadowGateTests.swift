import Testing

@testable import Duplex

@Suite struct ShadowGateTests {
  private let second: UInt64 = 1_000_000_000

  private var settings: CircuitBreaker.Settings {
    var settings = CircuitBreaker.Settings()
    settings.connectFailures = 1
    return settings
  }

  @Test func `without breaker and rate every copy is begun`() {
    var gate = ShadowGate(breaker: nil, rate: nil, copies: 3)

    let admissions = (0..<1000).map { _ in gate.admit(copies: 3, now: 5) }

    #expect(admissions.allSatisfy { $0 == .begin(3) })
    #expect(gate.began(now: 5).change == nil)
    #expect(gate.ended(.none, .connectFailed, wasConnected: false, now: 5) == nil)
  }

  @Test func `a shadow that has accepted none for a while gets no more than may wait`() {
    var gate = ShadowGate(breaker: nil, rate: nil, copies: 2)
    let late = ShadowGate.patience
    for _ in 0..<ShadowGate.mostConnecting { _ = gate.began(now: 0) }

    #expect(gate.admit(copies: 2, now: late - 1) == .begin(2))
    #expect(gate.admit(copies: 2, now: late) == .skip(.connecting))
    gate.connected(.none, now: late)
    #expect(gate.admit(copies: 2, now: 2 * late - 1) == .begin(2))
    #expect(gate.admit(copies: 2, now: 2 * late) == .skip(.connecting))
    #expect(gate.ended(.none, .connectTimeout, wasConnected: false, now: 2 * late) == nil)
    #expect(gate.admit(copies: 2, now: 2 * late) == .begin(2))
    #expect(gate.ended(.none, nil, wasConnected: true, now: 2 * late) == nil)
    _ = gate.began(now: 2 * late)
    #expect(gate.admit(copies: 2, now: 2 * late) == .skip(.connecting))
  }

  @Test func `a burst is copied to a shadow that accepts`() {
    var gate = ShadowGate(breaker: nil, rate: nil, copies: 1)
    let began = (0..<5000).map { _ in
      let admission = gate.admit(copies: 1, now: 7)
      _ = gate.began(now: 7)
      return admission
    }
    #expect(began.allSatisfy { $0 == .begin(1) })
  }

  @Test func `the probe is one copy, however many there are otherwise`() {
    var gate = ShadowGate(breaker: settings, rate: nil, copies: 3)
    _ = gate.ended(gate.began(now: 0).ticket, .connectFailed, wasConnected: false, now: 0)

    #expect(gate.admit(copies: 3, now: 1) == .skip(.breaker))
    #expect(gate.admit(copies: 3, now: second) == .begin(1))
    #expect(gate.began(now: second).change == .probing)
    #expect(gate.admit(copies: 3, now: second) == .skip(.breaker))
  }

  @Test func `a probe that is not begun for want of descriptors is still to come`() {
    var gate = ShadowGate(breaker: settings, rate: nil, copies: 1)
    _ = gate.ended(gate.began(now: 0).ticket, .connectFailed, wasConnected: false, now: 0)

    #expect(gate.admit(copies: 1, now: second) == .begin(1))
    #expect(gate.admit(copies: 1, now: second) == .begin(1))
  }

  @Test func `the rate lets a connection's copies through together or not at all`() {
    var gate = ShadowGate(breaker: nil, rate: 5, copies: 2)

    let admissions = (0..<3).map { _ in gate.admit(copies: 2, now: 0) }

    #expect(admissions == [.begin(2), .begin(2), .skip(.rate)])
  }

  @Test func `a rate below the number of copies still lets one connection through`() {
    var gate = ShadowGate(breaker: nil, rate: 2, copies: 10)

    #expect(gate.admit(copies: 10, now: 0) == .begin(10))
    #expect(gate.admit(copies: 10, now: 5 * second - 1) == .skip(.rate))
    #expect(gate.admit(copies: 10, now: 5 * second) == .begin(10))
  }

  @Test func `what the breaker holds back takes nothing of the rate`() {
    var gate = ShadowGate(breaker: settings, rate: 1, copies: 1)
    _ = gate.ended(gate.began(now: 0).ticket, .connectFailed, wasConnected: false, now: 0)

    for _ in 0..<10 { #expect(gate.admit(copies: 1, now: 1) == .skip(.breaker)) }

    #expect(gate.admit(copies: 1, now: second) == .begin(1))
  }
}

@Suite struct RouteCountersTests {
  @Test func `what several threads skipped and copied adds up, and a shadow's copies do too`() {
    var (one, two) = (RouteCounters(shadows: 2, copies: 2), RouteCounters(shadows: 2, copies: 2))
    one.skips[0] = [.off: 1, .rate: 2]
    two.skips[0] = [.off: 3, .sample: 4]
    for lane in 0..<4 {
      one.shadows[lane].bytes = 1 << lane
      two.shadows[lane].bytes = 16 << lane
    }

    one.add(two)

    #expect(one.skips == [[.off: 4, .rate: 2, .sample: 4], [:]])
    #expect([0, 1].map { one.total(ofShadow: $0).bytes } == [0b11_0011, 0b1100_1100])
  }
}

@Suite struct TokenBucketTests {
  private let second: UInt64 = 1_000_000_000

  @Test func `a full bucket gives its burst at once, and then so many a second`() {
    var bucket = TokenBucket(perSecond: 10, burst: 3)
    let start = 7 * second

    let burst = (0..<4).map { _ in bucket.take(1, now: start) }
    let early = bucket.take(1, now: start + second / 10 - 1)
    let due = bucket.take(1, now: start + second / 10)

    #expect(burst == [true, true, true, false])
    #expect(!early)
    #expect(due)
  }

  @Test func `a pause fills it no further than its burst`() {
    var bucket = TokenBucket(perSecond: 10, burst: 3)
    for _ in 0..<3 { _ = bucket.take(1, now: 0) }

    let taken = (0..<10).filter { _ in bucket.take(1, now: 1000 * second) }

    #expect(taken.count == 3)
  }

  @Test(arguments: [1, 3, 7, 1000, 1_000_000])
  func `over a long time it gives its rate and no more`(_ rate: Int) {
    var bucket = TokenBucket(perSecond: rate, burst: rate)
    let steps = 200_000
    let taken = (0..<steps).reduce(0) { sum, step in
      let now = UInt64(step) * 10 * second / UInt64(steps)
      return sum + (bucket.take(max(1, rate / 1000), now: now) ? max(1, rate / 1000) : 0)
    }

    #expect(taken <= 11 * rate)
    #expect(taken >= 11 * rate - max(2, rate / 100))
  }
}

@Suite struct ClientSampleTests {
  private func share(_ millionths: Int, of addresses: [IPAddress?]) -> Double {
    let sample = ClientSample(millionths: millionths)
    let chosen = addresses.enumerated().filter { sample.contains($1, connection: $0) }
    return Double(chosen.count) / Double(addresses.count)
  }

  @Test(arguments: [5000, 100_000, 500_000])
  func `a share of neighbouring addresses is chosen, of either family and of connections`(
    _ millionths: Int
  ) {
    let (count, wanted) = (100_000, Double(millionths) / 1_000_000)

    for addresses in [
      (0..<count).map { IPAddress(ipv4: 0x0a00_0000 + UInt32($0)) },
      (0..<count).map { IPAddress(high: 0x2001_0db8_0000_0000 + UInt64($0), low: 1) },
      (0..<count).map { _ in nil },
    ] {
      #expect(abs(share(millionths, of: addresses) - wanted) < 0.006)
    }
  }

  @Test func `all is all, for any address`() {
    #expect(share(1_000_000, of: (0..<1000).map { IPAddress(ipv4: $0) }) == 1)
  }

  @Test func `a client's connections are all in or all out`() {
    let sample = ClientSample(millionths: 500_000)

    for client in 0..<100 {
      let choices = (0..<100).map {
        sample.contains(IPAddress(ipv4: UInt32(client)), connection: $0)
      }
      #expect(Set(choices).count == 1)
    }
  }

  @Test func `who is in a smaller share is in a greater one`() {
    let (small, great) = (ClientSample(millionths: 100_000), ClientSample(millionths: 200_000))

    for client in (0..<10_000).map({ IPAddress(ipv4: $0) })
    where small.contains(client, connection: 0) {
      #expect(great.contains(client, connection: 0))
    }
  }

  @Test func `another release chooses the same clients`() {
    let sample = ClientSample(millionths: 100_000)

    let chosen = (0..<40).filter {
      sample.contains(IPAddress(ipv4: 0x0a09_0000 + UInt32($0)), connection: 0)
    }

    #expect(chosen == [30, 32])
  }
}
