import CLinux
import Glibc

/// A primary and a shadow, and what each has been asked so far.
struct Servers {
  let primary: LoopbackPort
  let shadow: LoopbackPort
  let primaryCounter: RequestCounter
  let shadowCounter: RequestCounter

  /// Requests since they were started.
  struct Counts: Equatable {
    var primary: Int
    var shadow: Int

    static func - (later: Counts, earlier: Counts) -> Counts {
      Counts(primary: later.primary - earlier.primary, shadow: later.shadow - earlier.shadow)
    }
  }

  func counts() throws -> Counts {
    Counts(primary: try primaryCounter.read(), shadow: try shadowCounter.read())
  }

  /// The counts once the shadow has seen `expected` requests more than at `earlier`: a copy may arrive after
  /// the primary's answer. Once nothing has arrived for two seconds, whatever they are.
  func counts(since earlier: Counts, expecting expected: Int) throws -> Counts {
    var counts = try counts() - earlier
    var seenAt = clinux_monotonic_nanoseconds()
    while counts.shadow < expected, clinux_monotonic_nanoseconds() < seenAt + 2_000_000_000 {
      usleep(2000)
      let newer = try self.counts() - earlier
      if newer.shadow > counts.shadow { seenAt = clinux_monotonic_nanoseconds() }
      counts = newer
    }
    return counts
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
