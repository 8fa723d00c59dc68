/// What the client does, and to whom.
struct Load: Sendable {
  /// As `--only` takes it.
  var name: String
  var title: String
  var kind: Kind
  var request: Request
  var connections: Int
  var origins = Pair.answering
  var seating = Seating.apart
  var opensAnew = false
  var candidates: [Candidate]

  enum Kind: Sendable {
    /// As many requests as there are answers: CPU per request and requests a second.
    case unpaced
    /// Half of what the slower of the compared can do: latency.
    case paced
    /// One request on each connection, and then nothing: memory.
    case idle
  }

  /// Who answers: one of the pairs that `Origins` has.
  enum Pair: Sendable {
    case answering
    case reading
    case companions
  }

  enum Request: Sendable {
    case get(String)
    /// A POST of so many bytes.
    case post(Int)

    func bytes(closing: Bool) -> [UInt8] {
      let connection = closing ? "Connection: close\r\n" : ""
      switch self {
      case .get(let path):
        return Array("GET \(path) HTTP/1.1\r\nHost: bench\r\n\(connection)\r\n".utf8)
      case .post(let count):
        let head =
          "POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: \(count)\r\n\(connection)\r\n"
        return Array(head.utf8) + Array(repeating: UInt8(ascii: "x"), count: count)
      }
    }
  }
}

extension Load {
  private static let all = Candidate.allCases
  /// As many as descriptors allow a proxy that duplicates.
  private static let idleConnections = min(10_000, Descriptors.connections)
  private static let withoutSplice = all.filter { $0 != .haproxySplice }

  /// In the order in which they are measured and reported.
  static let catalogue: [Load] = [
    small(64),
    small(1),
    small(512),
    Load(
      name: "shared-64",
      title: "Small answers, 64 kept connections, all share the machine",
      kind: .unpaced,
      request: .get("/"),
      connections: 64,
      seating: .together,
      candidates: withoutSplice
    ),
    Load(
      name: "connect-64",
      title: "A new connection for each request, 64 at a time",
      kind: .unpaced,
      request: .get("/"),
      connections: 64,
      opensAnew: true,
      candidates: withoutSplice
    ),
    Load(
      name: "answers-10k",
      title: "Answers of 10 KB, 64 kept connections",
      kind: .unpaced,
      request: .get("/10k"),
      connections: 64,
      candidates: all
    ),
    Load(
      name: "answers-1m",
      title: "Answers of 1 MB, 16 kept connections",
      kind: .unpaced,
      request: .get("/1m"),
      connections: 16,
      candidates: all
    ),
    Load(
      name: "uploads-1m",
      title: "Uploads of 1 MB, 16 kept connections",
      kind: .unpaced,
      request: .post(1 << 20),
      connections: 16,
      origins: .reading,
      candidates: all
    ),
    Load(
      name: "latency-64",
      title: "Small requests at a fixed rate, 64 kept connections",
      kind: .paced,
      request: .post(1),
      connections: 64,
      origins: .companions,
      candidates: withoutSplice
    ),
    Load(
      name: "idle",
      title: "\(Number.grouped(idleConnections)) idle connections",
      kind: .idle,
      request: .get("/"),
      connections: idleConnections,
      candidates: withoutSplice.filter { $0 != .direct }
    ),
  ]

  private static func small(_ connections: Int) -> Load {
    Load(
      name: "small-\(connections)",
      title: "Small answers, \(connections) kept connection\(connections == 1 ? "" : "s")",
      kind: .unpaced,
      request: .get("/"),
      connections: connections,
      candidates: withoutSplice
    )
  }
}
