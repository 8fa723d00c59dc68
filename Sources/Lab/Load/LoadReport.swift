import Foundation
import Histogram

/// What a load saw.
struct LoadReport: Sendable {
  /// Requests that ended, well or not.
  var requests = 0
  var failures: [LoadFailure: Int] = [:]
  /// Connections opened anew because the server had closed an idle one: no failure.
  var idleReconnects = 0
  var connectionsOpened = 0
  var bytesReceived = 0
  /// Requests that a rate called for, and that no connection was free for to the end.
  var neverBegun = 0
  /// By the wall clock, so that a failure can be found in a server's log.
  let began = Date()
  var seconds = 0.0
  /// The first few failures, for whoever has to find out.
  var samples: [Sample] = []
  /// Of requests that ended well, in microseconds, up to a minute.
  var latency = Histogram<UInt64>(
    highestTrackableValue: 60_000_000,
    numberOfSignificantValueDigits: .three
  )

  struct Sample: Sendable, Codable {
    var second: Double
    var failure: LoadFailure
    var detail: String
    var localPort: Int
  }

  var failed: Int { failures.values.reduce(0, +) }

  mutating func succeeded(after latency: Duration) {
    requests += 1
    let microseconds = latency / .microseconds(1)
    _ = self.latency.record(UInt64(min(60_000_000, max(1, microseconds))))
  }

  mutating func failed(_ failure: LoadFailure, _ detail: String, at second: Double, localPort: Int)
  {
    requests += 1
    failures[failure, default: 0] += 1
    if samples.count < 10 {
      samples.append(
        Sample(second: second, failure: failure, detail: detail, localPort: localPort)
      )
    }
  }

  private var leastMilliseconds: Double {
    latency.totalCount == 0 ? 0 : Double(latency.min) / 1000
  }

  private func time(after seconds: Double) -> String {
    began.addingTimeInterval(seconds).formatted(
      Date.ISO8601FormatStyle(includingFractionalSeconds: true)
    )
  }

  private func milliseconds(_ percentile: Double) -> Double {
    Double(latency.valueAtPercentile(percentile)) / 1000
  }

  // MARK: As text and JSON

  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(Document(self)), as: UTF8.self)
    }
  }

  private struct Document: Encodable {
    var requests: Int
    var failed: Int
    var failures: [String: Int]
    var idleReconnects: Int
    var connectionsOpened: Int
    var bytesReceived: Int
    var neverBegun: Int
    var began: String
    var ended: String
    var seconds: Double
    var requestsPerSecond: Double
    var latencyMilliseconds: [String: Double]
    var samples: [Sample]

    init(_ report: LoadReport) {
      requests = report.requests
      failed = report.failed
      failures = Dictionary(
        uniqueKeysWithValues: LoadFailure.allCases.map {
          ($0.rawValue, report.failures[$0] ?? 0)
        }
      )
      idleReconnects = report.idleReconnects
      connectionsOpened = report.connectionsOpened
      bytesReceived = report.bytesReceived
      neverBegun = report.neverBegun
      began = report.time(after: 0)
      ended = report.time(after: report.seconds)
      seconds = report.seconds
      requestsPerSecond = report.seconds > 0 ? Double(report.requests) / report.seconds : 0
      latencyMilliseconds = [
        "min": report.leastMilliseconds, "p50": report.milliseconds(50),
        "p90": report.milliseconds(90),
        "p99": report.milliseconds(99), "p99.9": report.milliseconds(99.9),
        "max": report.milliseconds(100),
      ]
      samples = report.samples
    }
  }

  var text: String {
    let rate = seconds > 0 ? Int(Double(requests) / seconds) : 0
    var lines = [
      "requests      \(requests) in \((seconds * 100).rounded() / 100) s, \(rate) a second",
      "failed        \(failed)",
    ]
    for failure in LoadFailure.allCases {
      if let count = failures[failure] { lines.append("  \(failure.rawValue): \(count)") }
    }
    lines += [
      "connections   \(connectionsOpened) opened, \(idleReconnects) of them after the server had "
        + "closed an idle one",
      "latency, ms   min \(leastMilliseconds), p50 \(milliseconds(50)), p90 \(milliseconds(90)), p99 \(milliseconds(99)), "
        + "p99.9 \(milliseconds(99.9)), max \(milliseconds(100))",
    ]
    if neverBegun > 0 {
      lines.append(
        "never begun   \(neverBegun): the rate was more than the connections could carry"
      )
    }
    for sample in samples {
      lines.append(
        "  at \(time(after: sample.second)), port \(sample.localPort): "
          + "\(sample.failure.rawValue) \(sample.detail)"
      )
    }
    return lines.joined(separator: "\n")
  }
}
