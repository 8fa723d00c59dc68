/// Which of the proxies that run side by side.
enum SoakProxy: String, Codable, Sendable, CaseIterable {
  case noShadow = "no shadow"
  case breakerOff = "breaker off"
  case breakerOn = "breaker on"
}

/// What the clients of one proxy saw in one slice of time.
struct SoakSlice: Codable, Sendable, Equatable {
  var proxy: SoakProxy
  var round: Int
  var requests = 0
  var failures: [String: Int] = [:]
  var p50 = 0.0
  /// Microseconds, of all requests together.
  var p99 = 0.0
  var p999 = 0.0
  /// The same of each part of the load.
  var p99OfParts: [String: Double] = [:]
  /// The proxy's greatest resident memory since it was started.
  var peakBytes = 0
  /// The most that was seen during the slice, looking once a second.
  var mostCopying = 0
  var mostQueuedBytes = 0
}

/// What one bad shadow did.
struct SoakScenario: Codable, Sendable, Equatable {
  var shadow: BadShadow
  var slices: [SoakSlice] = []
  /// What each proxy has counted so far.
  var counters: [String: ShadowCounters] = [:]
  /// Why it ended before its time.
  var problem: String?
}

/// A whole run.
struct SoakReport: Codable, Sendable {
  var machine: Machine
  var engine: String
  var began: String
  /// Of load for each bad shadow, and in each slice.
  var seconds: Double
  var sliceSeconds: Double
  var rate = 0.0
  var scenarios: [SoakScenario] = []
}
