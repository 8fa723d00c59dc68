import CLinux
import Glibc

/// A primary and a shadow, and what each has been asked so far.
struct Servers {
  let primary: LoopbackPort
  let shadow: LoopbackPort
  /// Requests since they were started.
  let counts: () throws -> Counts
  /// What the client has to serve where they run in its own thread.
  var companions: Companions?

  struct Counts: Equatable {
    var primary: Int
    var shadow: Int

    static func - (later: Counts, earlier: Counts) -> Counts {
      Counts(primary: later.primary - earlier.primary, shadow: later.shadow - earlier.shadow)
    }
  }

  /// The counts once the shadow has seen `expected` requests more than at `earlier`: a copy may arrive after
  /// the primary's answer. Once nothing has arrived for two seconds, whatever they are.
  func counts(since earlier: Counts, expecting expected: Int) throws -> Counts {
    var counts = try counts() - earlier
    var seenAt = clinux_monotonic_nanoseconds()
    while counts.shadow < expected, clinux_monotonic_nanoseconds() < seenAt + 2_000_000_000 {
      usleep(2000)
      try companions?.serveAll()
      let newer = try self.counts() - earlier
      if newer.shadow > counts.shadow { seenAt = clinux_monotonic_nanoseconds() }
      counts = newer
    }
    return counts
  }
}

extension Servers {
  /// Servers in processes of their own, which tell their counts there.
  init(
    primary: LoopbackPort,
    shadow: LoopbackPort,
    countedAt primaryStatus: LoopbackPort,
    _ shadowStatus: LoopbackPort
  ) {
    let counters = (RequestCounter(at: primaryStatus), RequestCounter(at: shadowStatus))
    self.init(primary: primary, shadow: shadow) {
      Counts(primary: try counters.0.read(), shadow: try counters.1.read())
    }
  }

  /// Servers in the client's thread.
  init(_ companions: Companions) {
    self.init(
      primary: companions.primaryPort,
      shadow: companions.shadowPort,
      counts: { companions.counts },
      companions: companions
    )
  }
}

/// Asks a server for the number of requests it has had, in the form of nginx's stub_status.
final class RequestCounter {
  private let port: LoopbackPort
  private var asked = 0

  init(at port: LoopbackPort) {
    self.port = port
  }

  /// The requests it has had, those made here not counted.
  func read() throws -> Int {
    asked += 1
    let text = try Question.ask(port, for: "/")
    guard let count = Self.requests(in: text) else {
      throw BenchError.origin("no count of requests at \(port): \(text)")
    }
    return count - asked
  }

  /// The third number below `server accepts handled requests`.
  static func requests(in text: String) -> Int? {
    let lines = text.split(whereSeparator: \.isNewline)
    guard
      let heading = lines.firstIndex(where: { $0.hasPrefix("server accepts handled requests") }),
      heading + 1 < lines.count
    else { return nil }
    let numbers = lines[heading + 1].split(separator: " ")
    return numbers.count >= 3 ? Int(numbers[2]) : nil
  }
}
