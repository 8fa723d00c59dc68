import CLinux
import Glibc

/// `duplex-proxy ask PATH` and `duplex-proxy shadow off|on|status`: a client of the admin endpoint, for hosts that have
/// no curl.
enum AskCommand {
  private struct Options {
    var method = "GET"
    var path = ""
    var address: SocketAddress?
    var timeout: UInt64 = 5_000_000_000
    var wait: UInt64 = 0
  }

  private enum Answer {
    case status(Int, body: String)
    case none(reason: String)
  }

  private static let pollInterval: useconds_t = 20_000

  /// 0 for a 200, 1 for another status, 2 when nobody answers, 64 for wrong usage.
  static func main(_ arguments: [String]) -> Int32 {
    guard let options = parse(arguments), let address = options.address else {
      Log().line("usage: ask PATH --admin IP:PORT|unix:PATH [--timeout SECONDS] [--wait SECONDS]")
      return 64
    }
    return main(options, address)
  }

  /// Switches copying, or says whether it is on: the same statuses.
  static func shadow(_ arguments: [String]) -> Int32 {
    let words = [
      "status": ("GET", "/shadow"), "on": ("PUT", "/shadow/on"), "off": ("PUT", "/shadow/off"),
    ]
    guard let (method, path) = arguments.first.flatMap({ words[$0] }),
      var options = parse([path] + arguments.dropFirst()), let address = options.address
    else {
      Log().line("usage: shadow off|on|status --admin IP:PORT|unix:PATH [--timeout SECONDS]")
      return 64
    }
    options.method = method
    return main(options, address)
  }

  private static func main(_ options: Options, _ address: SocketAddress) -> Int32 {
    let end = clinux_monotonic_nanoseconds() &+ options.wait
    while true {
      let answer = ask(options, address)
      if case .status(200, let body) = answer {
        print(body, terminator: "")
        return 0
      }
      guard clinux_monotonic_nanoseconds() < end else { return report(answer, address) }
      usleep(pollInterval)
    }
  }

  private static func report(_ answer: Answer, _ address: SocketAddress) -> Int32 {
    switch answer {
    case .status(_, let body):
      print(body, terminator: "")
      return 1
    case .none(let reason):
      Log().line("no answer from \(address): \(reason)")
      return 2
    }
  }

  private static func parse(_ arguments: [String]) -> Options? {
    var options = Options()
    var words = arguments[...]
    while let word = words.popFirst() {
      switch word {
      case "--admin":
        guard let value = words.popFirst(), let address = adminAddress(value) else { return nil }
        options.address = address
      case "--timeout", "--wait":
        guard let value = words.popFirst(), let seconds = Double(value), seconds >= 0,
          seconds <= 86_400
        else { return nil }
        let nanoseconds = UInt64(seconds * 1e9)
        if word == "--wait" { options.wait = nanoseconds } else { options.timeout = nanoseconds }
      default:
        guard word.hasPrefix("/"), options.path.isEmpty else { return nil }
        options.path = word
      }
    }
    return options.path.isEmpty ? nil : options
  }

  private static func adminAddress(_ text: String) -> SocketAddress? {
    let minimal = ["-l", "0", "-s", "/", "--admin", text]
    do {
      return try Flags.parse(minimal) {
        .failure(Flags.Problem(place: $0, text: "no file"))
      }.admin.first
    } catch {
      for problem in error.all { Log().line(problem.text) }
      return nil
    }
  }

  private static func ask(_ options: Options, _ address: SocketAddress) -> Answer {
    let descriptor = clinux_stream_socket(address.family)
    guard descriptor >= 0 else { return .none(reason: "no socket") }
    defer { Glibc.close(descriptor) }
    let deadline = clinux_monotonic_nanoseconds() &+ options.timeout
    var result = address.withPointer { clinux_connect(descriptor, $0, $1) }
    if result == -EINPROGRESS {
      guard isReady(descriptor, POLLOUT, deadline) else { return .none(reason: "timed out") }
      result = clinux_take_error(descriptor)
    }
    guard result == 0 else { return .none(reason: String(errno: -result)) }
    let line = "\(options.method) \(options.path) HTTP/1.1"
    let request = Array("\(line)\r\nHost: duplex-proxy\r\nContent-Length: 0\r\n\r\n".utf8)
    guard clinux_send(descriptor, request, request.count) == request.count else {
      return .none(reason: "the request was not taken")
    }
    return answer(from: descriptor, deadline)
  }

  private static func answer(from descriptor: Int32, _ deadline: UInt64) -> Answer {
    var received: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      guard isReady(descriptor, POLLIN, deadline) else { return .none(reason: "timed out") }
      let count = clinux_receive(descriptor, &buffer, buffer.count)
      if count == 0 { break }
      guard count > 0 else { return .none(reason: String(errno: Int32(-count))) }
      received += buffer[..<count]
    }
    let text = String(decoding: received, as: UTF8.self)
    let words = text.prefix(64).split(separator: " ")
    guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let status = Int(words[1]),
      let headEnd = received.firstIndex(ofHeadEnd: ())
    else { return .none(reason: "not an HTTP answer") }
    return .status(status, body: String(decoding: received[headEnd...], as: UTF8.self))
  }

  private static func isReady(_ descriptor: Int32, _ events: Int32, _ deadline: UInt64) -> Bool {
    let now = clinux_monotonic_nanoseconds()
    guard deadline > now else { return false }
    var entry = pollfd(fd: descriptor, events: Int16(events), revents: 0)
    return poll(&entry, 1, Int32((deadline - now + 999_999) / 1_000_000)) > 0
  }
}

extension [UInt8] {
  /// Where the body starts.
  fileprivate func firstIndex(ofHeadEnd _: Void) -> Int? {
    let end = Array("\r\n\r\n".utf8)
    return indices.first { self[$0...].starts(with: end) }.map { $0 + end.count }
  }
}
