/// A number that is read from samples.
enum Metric: String, CaseIterable, Sendable {
  case cpuPerRequest = "CPU, µs/request"
  case requestsPerSecond = "requests/s"
  case p50 = "p50, µs"
  case p99 = "p99, µs"
  case addedP50 = "added p50, µs"
  case addedP99 = "added p99, µs"
  case residentPerConnection = "RSS, bytes/connection"

  /// Its value in one round; `direct` is what the client saw without a proxy under the same load in that round.
  func value(of sample: Sample, direct: Sample?) -> Double? {
    guard sample.refusal == nil else { return nil }
    switch self {
    case .cpuPerRequest: return sample.cpuMicrosecondsPerRequest
    case .requestsPerSecond: return sample.requestsPerSecond
    case .p50: return sample.p50Microseconds
    case .p99: return sample.p99Microseconds
    case .addedP50: return added(\.p50Microseconds, sample, direct)
    case .addedP99: return added(\.p99Microseconds, sample, direct)
    case .residentPerConnection: return sample.residentBytesPerConnection
    }
  }

  private func added(
    _ percentile: KeyPath<Sample, Double?>,
    _ sample: Sample,
    _ direct: Sample?
  ) -> Double? {
    guard let direct, direct.refusal == nil, sample.candidate != .direct,
      let with = sample[keyPath: percentile], let without = direct[keyPath: percentile]
    else { return nil }
    return with - without
  }

  /// Those that say something about a kind of load.
  static func telling(of kind: Load.Kind) -> [Metric] {
    switch kind {
    case .unpaced: [.requestsPerSecond, .cpuPerRequest, .p50, .p99]
    case .paced: [.p50, .p99, .addedP50, .addedP99, .cpuPerRequest]
    case .idle: [.residentPerConnection]
    }
  }
}
