/// What a proxy's /metrics say of its shadows, all routes together.
struct ShadowCounters: Codable, Sendable, Equatable {
  var copies = 0
  var copyingNow = 0
  var queuedBytes = 0
  var answerBytes = 0
  /// Copies that were given up, by reason; those that did not happen are left out.
  var drops: [String: Int] = [:]
  /// Copies that were not begun, by reason.
  var skips: [String: Int] = [:]
  var breakerOpenings = 0
  var workerRestarts = 0
}

extension ShadowCounters {
  /// Reads Prometheus' text format.
  init(metrics: String) {
    for line in metrics.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "),
        let value = Int(line[line.index(after: space)...]), value > 0
      else { continue }
      let name = line[..<space].prefix { $0 != "{" }
      switch name {
      case "duplex_shadow_connections_total": copies += value
      case "duplex_shadow_connections_open": copyingNow += value
      case "duplex_shadow_queue_bytes": queuedBytes += value
      case "duplex_shadow_answer_bytes_total": answerBytes += value
      case "duplex_shadow_drops_total": drops[Self.reason(in: line), default: 0] += value
      case "duplex_shadow_skipped_total": skips[Self.reason(in: line), default: 0] += value
      case "duplex_shadow_breaker_opened_total": breakerOpenings += value
      case "duplex_worker_restarts_total": workerRestarts += value
      default: continue
      }
    }
  }

  private static func reason(in line: Substring) -> String {
    let parts = line.split(separator: "reason=\"", maxSplits: 1)
    return parts.count == 2 ? String(parts[1].prefix { $0 != "\"" }) : "unknown"
  }
}
