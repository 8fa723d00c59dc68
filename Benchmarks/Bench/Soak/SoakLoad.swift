/// What the client does all the time, through one proxy: three clients at a fixed rate each, at once.
struct SoakLoad: Sendable {
  var parts: [Part]

  struct Part: Sendable {
    /// As tables call it.
    var name: String
    /// Its part of all requests.
    var share: Double
    var connections: Int
    var opensAnew: Bool
    var request: [UInt8]
    /// The route it takes.
    var route: Route
  }

  /// The proxy has a route to each of two primaries; a shadow gets both.
  enum Route: Int, Sendable, CaseIterable {
    /// nginx, which answers at once.
    case answering
    /// The sink, which reads what it is sent before it answers.
    case reading
  }

  static let uploadSize = 100 << 10

  /// Most are small; the uploads are what fills the queues of a shadow that does not keep up.
  static let standard = SoakLoad(parts: [
    Part(
      name: "kept",
      share: 0.80,
      connections: 32,
      opensAnew: false,
      request: Load.Request.get("/").bytes(closing: false),
      route: .answering
    ),
    Part(
      name: "new",
      share: 0.15,
      connections: 16,
      opensAnew: true,
      request: Load.Request.get("/").bytes(closing: true),
      route: .answering
    ),
    Part(
      name: "uploads",
      share: 0.05,
      connections: 8,
      opensAnew: false,
      request: Array(
        "POST /upload HTTP/1.1\r\nHost: bench\r\nContent-Length: \(uploadSize)\r\n\r\n".utf8
      ) + Array(repeating: UInt8(ascii: "x"), count: uploadSize),
      route: .reading
    ),
  ])

  /// Requests a second of the mixture, if each part alone can do so many.
  func capacity(alone: [Double]) -> Double {
    let seconds = zip(parts, alone).reduce(0) { $0 + $1.0.share / $1.1 }
    return seconds > 0 && seconds.isFinite ? 1 / seconds : 0
  }
}

extension SoakLoad.Part {
  /// Does its part on connections of its own, all opened before; then they are closed.
  func run(at rate: Double, seconds: Double, to ports: [LoopbackPort]) throws -> Tally {
    var client = try LoadClient(
      to: ports[route.rawValue],
      request: request,
      connections: connections,
      opensAnew: opensAnew
    )
    let warm = try client.run(.once)
    var tally = try client.run(.rate(rate * share, seconds: seconds))
    tally.failures.merge(warm.failures, uniquingKeysWith: +)
    return tally
  }

  /// Requests a second that it can do alone.
  func capacity(to ports: [LoopbackPort]) throws -> Double {
    var client = try LoadClient(
      to: ports[route.rawValue],
      request: request,
      connections: connections,
      opensAnew: opensAnew
    )
    _ = try client.run(.unpaced(seconds: 0.3))
    let tally = try client.run(.unpaced(seconds: 1))
    guard tally.failed == 0, tally.seconds > 0 else {
      throw BenchError.origin(
        "\(name): \(tally.failed) requests failed before there was any shadow"
      )
    }
    return Double(tally.answered) / tally.seconds
  }
}
