/// What one candidate did under one load in one round.
struct Sample: Codable, Sendable, Equatable {
  var load: String
  var candidate: Candidate
  var round: Int
  var requests = 0
  var seconds = 0.0
  /// CPU time of the candidate's processes; nil for `direct`.
  var cpuNanoseconds: Int64?
  /// How long its threads had to wait for a processor.
  var waitedNanoseconds: Int64?
  var p50Microseconds: Double?
  var p99Microseconds: Double?
  /// The rate that was asked for, where one was.
  var rate: Double?
  var residentBytesPerConnection: Double?
  /// Requests that reached the primary and the shadow.
  var primaryRequests = 0
  var shadowRequests = 0
  /// Why it does not count.
  var refusal: String?

  var cpuMicrosecondsPerRequest: Double? {
    guard let cpuNanoseconds, requests > 0 else { return nil }
    return Double(cpuNanoseconds) / 1000 / Double(requests)
  }

  var requestsPerSecond: Double? { seconds > 0 ? Double(requests) / seconds : nil }

  /// The part of the requests that the shadow got.
  var shadowShare: Double? {
    candidate.isDuplicating && requests > 0 ? Double(shadowRequests) / Double(requests) : nil
  }
}

extension Sample {
  /// Refuses what went wrong in any way: a fast failure would be a fine result.
  mutating func refuse(after failures: [Tally.Failure: Int]) {
    let failed = failures.values.reduce(0, +)
    if failed > 0 {
      let counts = Tally.Failure.allCases.compactMap { failure in
        failures[failure].map { "\($0) \(failure.rawValue)" }
      }
      refusal = "\(failed) requests failed: " + counts.joined(separator: ", ")
    } else if requests == 0 {
      refusal = "not one answer"
    } else if primaryRequests != requests {
      refusal = "the primary got \(primaryRequests) of \(requests) requests"
    } else if candidate.isDuplicating, shadowRequests != requests {
      refusal = "the shadow got \(shadowRequests) of \(requests) requests"
    }
  }
}
