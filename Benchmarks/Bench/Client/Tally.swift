import Histogram

/// What the load client saw in one run.
struct Tally: Sendable {
  /// Requests that were answered with 200, whole.
  var answered = 0
  var failures: [Failure: Int] = [:]
  /// From the beginning until the last answer.
  var seconds = 0.0
  /// Nanoseconds, up to a minute; with a fixed rate they count from when the request was due.
  var latency = Histogram<UInt64>(
    highestTrackableValue: 60_000_000_000,
    numberOfSignificantValueDigits: .three
  )

  /// Why a request has no answer that counts. Nothing is tried again.
  enum Failure: String, Sendable, Codable, CaseIterable {
    case notConnected = "not connected"
    case closed = "closed early"
    case reset
    case wrongStatus = "not 200"
    case malformed
    case notInTime = "not in time"
    /// A fixed rate called for it, and no connection was free until the end.
    case neverSent = "never sent"
  }

  var failed: Int { failures.values.reduce(0, +) }

  mutating func count(_ failure: Failure, _ count: Int = 1) {
    if count > 0 { failures[failure, default: 0] += count }
  }

  func microseconds(percentile: Double) -> Double {
    Double(latency.valueAtPercentile(percentile)) / 1000
  }
}
