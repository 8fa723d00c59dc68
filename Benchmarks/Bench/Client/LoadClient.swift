import CLinux
import Glibc

/// The load client: one thread, epoll, non-blocking connections that stay open between runs. It tries
/// nothing again, and reads answers no further than to find their ends, so that it costs little itself.
struct LoadClient: ~Copyable {
  private let port: LoopbackPort
  private let request: [UInt8]
  private let opensAnew: Bool
  private let companions: Companions?
  private let epoll: Int32
  private let connections: UnsafeMutableBufferPointer<LoadConnection>
  private let events: UnsafeMutableBufferPointer<epoll_event>
  private let buffer: UnsafeMutableRawBufferPointer
  private var tally: Tally
  private var busy: Int
  /// The connections that wait for a request of a fixed rate, the longest first.
  private var free: Queue

  /// - Parameters:
  ///   - opensAnew: each request gets a connection of its own, which the server has to close.
  ///   - companions: servers that are served in this thread, while it runs.
  init(
    to port: LoopbackPort,
    request: [UInt8],
    connections count: Int,
    opensAnew: Bool = false,
    companions: Companions? = nil
  ) throws {
    let epoll = clinux_epoll_create()
    guard epoll >= 0 else { throw BenchError.system("epoll", -epoll) }
    try companions?.watch(by: epoll) { UInt64(count + $0) }
    self.epoll = epoll
    self.port = port
    self.request = request
    self.opensAnew = opensAnew
    self.companions = companions
    connections = .allocate(capacity: count)
    connections.initialize(repeating: LoadConnection())
    events = .allocate(capacity: min(count + Companions.count, 512))
    events.initialize(repeating: epoll_event())
    buffer = .allocate(byteCount: 64 << 10, alignment: 64)
    tally = Tally()
    busy = 0
    free = Queue(capacity: count)
  }

  deinit {
    for connection in connections where connection.descriptor >= 0 { close(connection.descriptor) }
    close(epoll)
    connections.deallocate()
    events.deallocate()
    buffer.deallocate()
  }

  /// When a request is sent.
  enum Pace {
    /// On every connection as soon as it has its answer.
    case unpaced(seconds: Double)
    /// So many a second over all connections, each at its time or as soon after as one is free.
    case rate(Double, seconds: Double)
    /// One on every connection, on a hundred of them at a time.
    case once
  }

  /// Sends requests at that pace, waits for all their answers, and tells what was seen.
  /// - Throws: `BenchError.interrupted` when a stop signal came.
  mutating func run(_ pace: Pace) throws -> Tally {
    tally = Tally()
    let began = clinux_monotonic_nanoseconds()
    switch pace {
    case .unpaced(let seconds): try run(until: began + nanoseconds(seconds))
    case .rate(let rate, let seconds):
      try run(rate, from: began, until: began + nanoseconds(seconds))
    case .once: try runOnce()
    }
    tally.seconds = Double(clinux_monotonic_nanoseconds() - began) / 1e9
    return tally
  }
}

/// How long the answers that are in flight at the end are waited for.
private let patience: UInt64 = 5_000_000_000

private func nanoseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1e9) }

// MARK: Paces

extension LoadClient {
  private mutating func run(until end: UInt64) throws {
    for index in connections.indices { begin(index, due: clinux_monotonic_nanoseconds()) }
    var isOver = false
    while busy > 0 {
      let now = clinux_monotonic_nanoseconds()
      if now > end + patience { return giveUp() }
      isOver = isOver || now >= end
      try turn(waiting: 50_000_000) { client, index in
        if !isOver { client.begin(index, due: clinux_monotonic_nanoseconds()) }
      }
    }
  }

  private mutating func runOnce() throws {
    var next = min(100, connections.count)
    var lastAnswer = clinux_monotonic_nanoseconds()
    for index in 0..<next { begin(index, due: lastAnswer) }
    while busy > 0 {
      if clinux_monotonic_nanoseconds() > lastAnswer + patience { return giveUp() }
      try turn(waiting: 50_000_000) { client, _ in
        lastAnswer = clinux_monotonic_nanoseconds()
        guard next < client.connections.count else { return }
        client.begin(next, due: lastAnswer)
        next += 1
      }
    }
  }

  private mutating func run(_ rate: Double, from start: UInt64, until end: UInt64) throws {
    let count = Int(rate * Double(end - start) / 1e9)
    let interval = 1e9 / rate
    var sent = 0
    free.removeAll()
    for index in connections.indices where connections[index].phase != .failed {
      free.append(index)
    }
    while sent < count || busy > 0 {
      let now = clinux_monotonic_nanoseconds()
      if now > end + patience { break }
      while sent < count, !free.isEmpty {
        let due = start + UInt64(Double(sent) * interval)
        guard due <= now else { break }
        begin(free.removeFirst(), due: due)
        sent += 1
      }
      if busy == 0, free.isEmpty { break }
      let isToSend = sent < count && !free.isEmpty
      let nextDue = start + UInt64(Double(sent) * interval)
      let wait = isToSend ? Int64(nextDue) - Int64(clinux_monotonic_nanoseconds()) : 50_000_000
      try turn(waiting: max(0, wait)) { client, index in client.free.append(index) }
    }
    tally.count(.neverSent, count - sent)
    giveUp()
  }

  private mutating func giveUp() {
    for index in connections.indices where connections[index].isBusy { fail(index, .notInTime) }
  }

  /// Waits for the next events and handles them; `answered` is told each connection that is free again.
  private mutating func turn(
    waiting nanoseconds: Int64,
    _ answered: (inout LoadClient, Int) -> Void
  ) throws {
    if clinux_stop_noted() != 0 { throw BenchError.interrupted }
    let count = clinux_epoll_wait_nanoseconds(
      epoll,
      events.baseAddress,
      Int32(events.count),
      nanoseconds
    )
    guard count >= 0 else { throw BenchError.system("epoll", -count) }
    for position in 0..<Int(count) {
      let index = Int(events[position].data.u64)
      if index >= connections.count {
        try companions?.serve(index - connections.count)
      } else if handle(index) {
        answered(&self, index)
      }
    }
  }
}

// MARK: One connection

extension LoadClient {
  private mutating func begin(_ index: Int, due: UInt64) {
    connections[index].began = due
    connections[index].sent = 0
    connections[index].parser.reset()
    switch connections[index].phase {
    case .failed: return
    case .idle:
      busy += 1
      connections[index].phase = .sending
      send(index)
    default:
      busy += 1
      connect(index)
    }
  }

  private mutating func connect(_ index: Int) {
    let descriptor = clinux_stream_socket(AF_INET)
    guard descriptor >= 0 else { return fail(index, .notConnected) }
    connections[index].descriptor = descriptor
    connections[index].phase = .connecting
    let result = port.withAddress { clinux_connect(descriptor, $0, $1) }
    guard result == 0 || result == -EINPROGRESS else { return fail(index, .notConnected) }
    let events = EPOLLIN.rawValue | EPOLLOUT.rawValue | EPOLLET.rawValue
    guard clinux_epoll_add(epoll, descriptor, events, UInt64(index)) == 0 else {
      return fail(index, .notConnected)
    }
    if result == 0 { connected(index) }
  }

  private mutating func connected(_ index: Int) {
    connections[index].phase = .sending
    send(index)
  }

  /// True where the connection got its answer and is free.
  private mutating func handle(_ index: Int) -> Bool {
    switch connections[index].phase {
    case .connecting:
      let result = clinux_take_error(connections[index].descriptor)
      guard result == 0 else {
        fail(index, .notConnected)
        return false
      }
      connected(index)
      return false
    case .sending:
      send(index)
      return connections[index].phase == .receiving ? receive(index) : false
    case .receiving: return receive(index)
    case .closing: return awaitClose(index)
    case .idle:
      // Only a close is news here; the next request on it would fail.
      var byte: UInt8 = 0
      if clinux_receive(connections[index].descriptor, &byte, 1) != -Int(EAGAIN) {
        tally.count(.closed)
        connections[index].close(.failed)
      }
      return false
    case .closed, .failed: return false
    }
  }

  private mutating func send(_ index: Int) {
    while connections[index].sent < request.count {
      let sent = request.withUnsafeBytes {
        clinux_send(
          connections[index].descriptor,
          $0.baseAddress! + connections[index].sent,
          $0.count - connections[index].sent
        )
      }
      if sent == -Int(EAGAIN) { return }
      guard sent > 0 else { return fail(index, .reset) }
      connections[index].sent += sent
    }
    connections[index].phase = .receiving
  }

  private mutating func receive(_ index: Int) -> Bool {
    while true {
      let remaining = connections[index].parser.remainingBody
      let count =
        remaining > 0
        ? clinux_discard(connections[index].descriptor, min(remaining, 1 << 20))
        : clinux_receive(connections[index].descriptor, buffer.baseAddress, buffer.count)
      if count == -Int(EAGAIN) { return false }
      guard count > 0 else {
        fail(index, count == 0 ? .closed : .reset)
        return false
      }
      if remaining > 0 {
        if connections[index].parser.skipBody(count) { return answered(index) }
        continue
      }
      switch connections[index].parser.take(UnsafeRawBufferPointer(rebasing: buffer[..<count])) {
      case .incomplete: continue
      case .complete(count): return answered(index)
      case .complete, .malformed:
        fail(index, .malformed)
        return false
      }
    }
  }

  private mutating func answered(_ index: Int) -> Bool {
    guard connections[index].parser.status == 200 else {
      fail(index, .wrongStatus)
      return false
    }
    if opensAnew {
      connections[index].phase = .closing
      return awaitClose(index)
    }
    connections[index].phase = .idle
    finish(index)
    return true
  }

  private mutating func awaitClose(_ index: Int) -> Bool {
    let count = clinux_receive(connections[index].descriptor, buffer.baseAddress, buffer.count)
    if count == -Int(EAGAIN) { return false }
    guard count == 0 else {
      fail(index, count > 0 ? .malformed : .reset)
      return false
    }
    connections[index].close(.closed)
    finish(index)
    return true
  }

  private mutating func finish(_ index: Int) {
    busy -= 1
    tally.answered += 1
    let latency = clinux_monotonic_nanoseconds() - connections[index].began
    _ = tally.latency.record(max(1, latency))
  }

  private mutating func fail(_ index: Int, _ failure: Tally.Failure) {
    busy -= 1
    tally.count(failure)
    connections[index].close(.failed)
  }
}
