import Testing

@testable import Bench

struct ReportTests {
  @Test func `a ratio is taken within each round, and then its middle`() {
    // Everything takes longer in later rounds; the ratio is 0.5 in all but one.
    let report = Report.sample(cpu: [
      .duplexUring: [10, 20, 90], .haproxyTCP: [20, 40, 60],
    ])

    let ratio = report.ratio(
      .cpuPerRequest,
      of: .duplexUring,
      to: .haproxyTCP,
      under: "small-64"
    )

    #expect(ratio == Spread(median: 0.5, least: 0.5, most: 1.5))
  }

  @Test func `a round that lacks one of the two has no ratio`() {
    let report = Report.sample(cpu: [.duplexUring: [10, 20], .haproxyTCP: [20]])

    let ratio = report.ratio(
      .cpuPerRequest,
      of: .duplexUring,
      to: .haproxyTCP,
      under: "small-64"
    )

    #expect(ratio == Spread(median: 0.5, least: 0.5, most: 0.5))
  }

  @Test func `what was refused is in no number`() {
    var report = Report.sample(cpu: [.duplexUring: [10, 1000]])
    report.samples[1].refusal = "1 requests failed"

    let spread = report.spread(.cpuPerRequest, of: .duplexUring, under: "small-64")

    #expect(spread == Spread(median: 10, least: 10, most: 10))
  }

  @Test func `added latency is what lies above direct in the same round`() {
    let report = Report.latencies([
      (.direct, 100), (.haproxyTCP, 300), (.duplexUring, 200),
    ])

    let added = report.spread(.addedP99, of: .haproxyTCP, under: "latency-64")
    let ratio = report.ratio(.addedP99, of: .duplexUring, to: .haproxyTCP, under: "latency-64")

    #expect(added == Spread(median: 200, least: 200, most: 200))
    #expect(ratio == Spread(median: 0.5, least: 0.5, most: 0.5))
  }

  @Test func `where nothing was added there is nothing to compare with`() {
    let report = Report.latencies([
      (.direct, 100), (.haproxyTCP, 90), (.duplexUring, 200),
    ])

    let ratio = report.ratio(.addedP99, of: .duplexUring, to: .haproxyTCP, under: "latency-64")

    #expect(ratio == nil)
  }

  @Test func `latency without a direct one beside it has nothing added to`() {
    let report = Report.latencies([(.haproxyTCP, 90)])

    #expect(report.spread(.addedP99, of: .haproxyTCP, under: "latency-64") == nil)
  }
}

struct SampleTests {
  private func refusal(
    of candidate: Candidate,
    primary: Int = 10,
    shadow: Int = 10,
    failures: [Tally.Failure: Int] = [:]
  ) -> String? {
    var sample = Sample(load: "small-64", candidate: candidate, round: 1, requests: 10)
    sample.primaryRequests = primary
    sample.shadowRequests = shadow
    sample.refuse(after: failures)
    return sample.refusal
  }

  @Test func `a result is taken when every request was answered and copied`() {
    #expect(refusal(of: .duplexUring) == nil)
  }

  @Test func `a proxy that only forwards needs no copies`() {
    #expect(refusal(of: .haproxyTCP, shadow: 0) == nil)
  }

  @Test func `a missing copy refuses the result`() {
    #expect(refusal(of: .nginxMirror, shadow: 9) == "the shadow got 9 of 10 requests")
  }

  @Test func `requests that did not reach the primary refuse the result`() {
    #expect(refusal(of: .haproxyHTTP, primary: 3) == "the primary got 3 of 10 requests")
  }

  @Test func `failures refuse the result and are named`() {
    #expect(
      refusal(of: .haproxyTCP, failures: [.reset: 2, .notInTime: 1])
        == "3 requests failed: 2 reset, 1 not in time"
    )
  }
}
