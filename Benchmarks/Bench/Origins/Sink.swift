import CLinux
import Glibc

/// A server that reads each request to its last byte, throws it away and then answers with nothing but a head. Where it
/// tells its count, a GET is answered with the requests so far, in the form of nginx's stub_status.
struct Sink: ~Copyable {
  /// Readable while there is something for `turn` to do.
  let epoll: Int32
  /// Requests that were answered so far, those for the count too.
  private(set) var requests: Int
  private let listener: Int32
  private let buffer: UnsafeMutableRawBufferPointer
  private let events: UnsafeMutableBufferPointer<epoll_event>
  private var parsers: [Int32: MessageParser]
  private let answer: [UInt8]
  private let tellsCount: Bool

  init(on port: LoopbackPort, tellsCount: Bool = true) throws {
    let listener = try port.listen().descriptor
    let epoll = clinux_epoll_create()
    let result = clinux_epoll_add(epoll, listener, EPOLLIN.rawValue, UInt64(listener))
    guard result == 0 else { throw BenchError.system("epoll", -result) }
    self.listener = listener
    self.epoll = epoll
    buffer = .allocate(byteCount: 64 << 10, alignment: 64)
    events = .allocate(capacity: 256)
    events.initialize(repeating: epoll_event())
    parsers = [:]
    requests = 0
    self.tellsCount = tellsCount
    answer = Array("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".utf8)
  }

  deinit {
    close(epoll)
    close(listener)
    for descriptor in parsers.keys { close(descriptor) }
    buffer.deallocate()
    events.deallocate()
  }

  /// Serves until a stop signal comes.
  mutating func run() throws {
    while clinux_stop_noted() == 0 { try turn(waiting: 100) }
  }

  /// Waits for the next events, no longer than so many milliseconds, and handles them.
  mutating func turn(waiting milliseconds: Int32) throws {
    let count = clinux_epoll_wait(
      epoll,
      events.baseAddress,
      Int32(events.count),
      milliseconds
    )
    guard count >= 0 else { throw BenchError.system("epoll", -count) }
    for position in 0..<Int(count) {
      let descriptor = Int32(events[position].data.u64)
      if descriptor == listener { try accept() } else { serve(descriptor) }
    }
  }

  private mutating func accept() throws {
    while true {
      let descriptor = clinux_accept(listener)
      if descriptor == -EAGAIN || descriptor == -ECONNABORTED { return }
      guard descriptor >= 0 else { throw BenchError.system("accepting", -descriptor) }
      parsers[descriptor] = MessageParser(.request)
      let result = clinux_epoll_add(epoll, descriptor, EPOLLIN.rawValue, UInt64(descriptor))
      guard result == 0 else { throw BenchError.system("epoll", -result) }
    }
  }

  private mutating func serve(_ descriptor: Int32) {
    guard var parser = parsers[descriptor] else { return }
    while true {
      let remaining = parser.remainingBody
      let count =
        remaining > 0
        ? clinux_discard(descriptor, min(remaining, 1 << 20))
        : clinux_receive(descriptor, buffer.baseAddress, buffer.count)
      if count == -Int(EAGAIN) { break }
      guard count > 0 else { return drop(descriptor) }
      let isServed =
        remaining > 0
        ? !parser.skipBody(count) || complete(&parser, on: descriptor)
        : take(UnsafeRawBufferPointer(rebasing: buffer[..<count]), by: &parser, from: descriptor)
      guard isServed else { return drop(descriptor) }
    }
    parsers[descriptor] = parser
  }

  /// Takes all bytes that came: a copy may bring the next request before the one before it was answered. False where the
  /// connection is of no more use.
  private mutating func take(
    _ bytes: UnsafeRawBufferPointer,
    by parser: inout MessageParser,
    from descriptor: Int32
  ) -> Bool {
    var rest = bytes
    while !rest.isEmpty {
      switch parser.take(rest) {
      case .incomplete: return true
      case .malformed: return false
      case .complete(let used):
        guard complete(&parser, on: descriptor) else { return false }
        rest = UnsafeRawBufferPointer(rebasing: rest[used...])
      }
    }
    return true
  }

  private mutating func complete(_ parser: inout MessageParser, on descriptor: Int32) -> Bool {
    let isCount = tellsCount && parser.firstByte == UInt8(ascii: "G")
    parser.reset()
    return respond(descriptor, toCount: isCount)
  }

  /// False where the connection is of no more use.
  private mutating func respond(_ descriptor: Int32, toCount isCount: Bool) -> Bool {
    requests += 1
    guard isCount else { return clinux_send(descriptor, answer, answer.count) == answer.count }
    let status = Array("server accepts handled requests\n 0 0 \(requests) \n".utf8)
    let head = "HTTP/1.1 200 OK\r\nContent-Length: \(status.count)\r\n\r\n"
    let bytes = Array(head.utf8) + status
    _ = clinux_send(descriptor, bytes, bytes.count)
    return false
  }

  private mutating func drop(_ descriptor: Int32) {
    parsers[descriptor] = nil
    close(descriptor)
  }
}
