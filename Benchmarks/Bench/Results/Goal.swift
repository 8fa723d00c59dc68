/// A ratio that duplex-proxy is held to.
struct Goal: Sendable {
  var measure: String
  var load: String
  var metric: Metric
  var candidate = Candidate.duplexUring
  var other: Candidate
  var limit: Limit

  enum Limit: Equatable, Sendable, CustomStringConvertible {
    case atMost(Double)
    case atLeast(Double)

    func isMet(by ratio: Double) -> Bool {
      switch self {
      case .atMost(let limit): ratio <= limit
      case .atLeast(let limit): ratio >= limit
      }
    }

    var description: String {
      switch self {
      case .atMost(let limit): "≤ \(Number.short(limit))"
      case .atLeast(let limit): "≥ \(Number.short(limit))"
      }
    }
  }

  static let all = [
    Goal(
      measure:
        "Small keep-alive, 64 connections: CPU per duplicated request, to haproxy tcp only forwarding",
      load: "small-64",
      metric: .cpuPerRequest,
      other: .haproxyTCP,
      limit: .atMost(0.90)
    ),
    Goal(
      measure: "Small keep-alive, 64 connections: CPU per duplicated request, to nginx mirror",
      load: "small-64",
      metric: .cpuPerRequest,
      other: .nginxMirror,
      limit: .atMost(0.20)
    ),
    Goal(
      measure:
        "Small keep-alive, 64 connections, all share the machine: requests/s, to nginx mirror",
      load: "shared-64",
      metric: .requestsPerSecond,
      other: .nginxMirror,
      limit: .atLeast(3.0)
    ),
    Goal(
      measure: "1 MB answers: CPU per request, to haproxy splice only forwarding",
      load: "answers-1m",
      metric: .cpuPerRequest,
      other: .haproxySplice,
      limit: .atMost(0.80)
    ),
    Goal(
      measure: "1 MB uploads, duplicated: CPU per request, to haproxy tcp only forwarding",
      load: "uploads-1m",
      metric: .cpuPerRequest,
      other: .haproxyTCP,
      limit: .atMost(1.5)
    ),
    Goal(
      measure: "Added p99 latency at half of capacity, to haproxy tcp only forwarding",
      load: "latency-64",
      metric: .addedP99,
      other: .haproxyTCP,
      limit: .atMost(1.0)
    ),
    Goal(
      measure: "RSS per idle connection (three sockets), to haproxy tcp (two sockets)",
      load: "idle",
      metric: .residentPerConnection,
      other: .haproxyTCP,
      limit: .atMost(1.0)
    ),
    Goal(
      measure:
        "New connection per request: CPU per request (three sockets), to haproxy tcp (two sockets)",
      load: "connect-64",
      metric: .cpuPerRequest,
      other: .haproxyTCP,
      limit: .atMost(1.4)
    ),
    Goal(
      measure:
        "Small keep-alive, 64 connections: CPU per request of the io_uring engine, to the epoll engine",
      load: "small-64",
      metric: .cpuPerRequest,
      other: .duplexEpoll,
      limit: .atMost(0.65)
    ),
  ]
}
