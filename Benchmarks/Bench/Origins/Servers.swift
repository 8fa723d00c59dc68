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
  /// the primary's answer. After two seconds, whatever they are.
  func counts(since earlier: Counts, expecting expected: Int) throws -> Counts {
    let deadline = clinux_monotonic_nanoseconds() + 2_000_000_000
    while true {
      let counts = try counts() - earlier
      if counts.shadow >= expected || clinux_monotonic_nanoseconds() > deadline { return counts }
      usleep(2000)
    }
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
    let text = try ask()
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

  private func ask() throws -> String {
    let descriptor = clinux_blocking_stream_socket(AF_INET)
    guard descriptor >= 0 else { throw BenchError.system("asking \(port)", -descriptor) }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let connected = port.withAddress { clinux_connect(descriptor, $0, $1) }
    guard connected == 0 else { throw BenchError.system("asking \(port)", -connected) }
    let request = Array("GET / HTTP/1.1\r\nHost: count\r\nConnection: close\r\n\r\n".utf8)
    _ = clinux_send(descriptor, request, request.count)
    var answer: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, 0)
      guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
      answer += bytes[..<count]
    }
  }
}
