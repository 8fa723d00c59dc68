import Synchronization

#if canImport(Glibc)
  import Glibc
#endif

/// The strict client: one thread, poll(2), no retry and no silent reconnect. What goes wrong with a
/// request is counted, once, in its class.
struct LoadLoop {
  private let order: LoadOrder
  private let request: [UInt8]
  private let address: sockaddr_in
  private let stop: StopFlag
  private let clock = ContinuousClock()
  private let start: ContinuousClock.Instant
  private var connections: [LoadConnection]
  private var report = LoadReport()
  /// How many requests a rate has begun.
  private var begun = 0

  /// - Throws: `LabError` where the address is no IPv4 literal.
  init(_ order: LoadOrder, stop: StopFlag) throws {
    self.order = order
    self.stop = stop
    request = order.request
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(order.port).bigEndian
    guard inet_pton(AF_INET, order.host, &address.sin_addr) == 1 else {
      throw LabError("\(order.host) is no IPv4 address")
    }
    self.address = address
    connections = Array(repeating: LoadConnection(), count: order.connections)
    start = clock.now
  }

  /// Runs until the time is over or it is told to stop, then finishes what is in flight.
  mutating func run() -> LoadReport {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    var end: ContinuousClock.Instant?
    while true {
      let now = clock.now
      let isEnding = stop.isSet || (order.length.map { now - start >= $0 } ?? false)
      if isEnding, end == nil { end = now }
      for index in connections.indices { turn(index, now, isEnding: isEnding) }
      guard !isEnding || connections.contains(where: \.isBusy) else { break }
      wait(&buffer, isEnding: isEnding)
    }
    for index in connections.indices { connections[index].close() }
    report.seconds = (clock.now - start) / .seconds(1)
    report.neverBegun = neverBegun(by: end ?? clock.now)
    return report
  }
}

// MARK: -

extension LoadLoop {
  /// What the clock alone decides for one connection.
  private mutating func turn(_ index: Int, _ now: ContinuousClock.Instant, isEnding: Bool) {
    switch connections[index].phase {
    case .thinking where now >= connections[index].deadline: connections[index].phase = .idle
    case .connecting where now >= connections[index].deadline:
      fail(index, .connectTimeout, "no connection within \(order.timeout)")
    case .sending where now >= connections[index].deadline,
      .receiving where now >= connections[index].deadline:
      fail(index, .timeout, "no whole response within \(order.timeout)")
    default: break
    }
    if connections[index].phase == .idle, !isEnding, let due = nextDue(now) { begin(index, due) }
  }

  /// When the next request should have begun, if that is now or past; a rate counts from there, so
  /// that a slow server does not slow the clock that measures it.
  private mutating func nextDue(_ now: ContinuousClock.Instant) -> ContinuousClock.Instant? {
    guard let rate = order.rate else { return now }
    let due = nextBeginning(at: rate)
    guard due <= now else { return nil }
    begun += 1
    return due
  }

  private func nextBeginning(at rate: Double) -> ContinuousClock.Instant {
    start + .seconds(Double(begun) / rate)
  }

  /// How many requests the rate called for while every connection was busy, to the end. They have no
  /// latency, so a report that left them out would flatter a server that stands still.
  private func neverBegun(by end: ContinuousClock.Instant) -> Int {
    guard let rate = order.rate else { return 0 }
    let length = min(end - start, order.length ?? end - start)
    return max(0, Int((length / .seconds(1) * rate).rounded(.up)) - begun)
  }

  private mutating func begin(_ index: Int, _ due: ContinuousClock.Instant) {
    connections[index].started = due
    connections[index].deadline = clock.now + order.timeout
    connections[index].unsent = request[...]
    connections[index].parser = ResponseParser()
    if connections[index].isOpen {
      switch connections[index].idleState {
      case .open:
        connections[index].phase = .sending
        return send(index)
      case .unasked:
        return fail(index, .malformed, "bytes that nobody asked for")
      case .reset:
        // A FIN is how a server takes leave of an idle connection. A reset is not.
        return fail(index, .resetOnReused, "reset while idle")
      case .closed:
        connections[index].close()
        report.idleReconnects += 1
      }
    }
    report.connectionsOpened += 1
    if let error = connections[index].connect(to: address) { connectFailed(index, error) }
  }

  private mutating func connectFailed(_ index: Int, _ error: Int32) {
    let failure: LoadFailure =
      switch error {
      case ECONNREFUSED: .refused
      case ETIMEDOUT: .connectTimeout
      default: .connectError
      }
    fail(index, failure, Self.words(error))
  }

  private mutating func wait(_ buffer: inout [UInt8], isEnding: Bool) {
    let busy = connections.indices.filter { connections[$0].isBusy }
    var polled = busy.map {
      pollfd(fd: connections[$0].descriptor, events: connections[$0].events, revents: 0)
    }
    let (seconds, attoseconds) = patience(isEnding: isEnding).components
    guard !busy.isEmpty else {
      var rest = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
      nanosleep(&rest, nil)
      return
    }
    // poll(2) counts whole milliseconds; 0 would spin until the time has come.
    let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    guard poll(&polled, nfds_t(polled.count), Int32(milliseconds)) > 0 else { return }
    for (position, index) in busy.enumerated() where polled[position].revents != 0 {
      switch connections[index].phase {
      case .connecting: connected(index)
      case .sending: send(index)
      case .receiving: receive(index, &buffer)
      case .idle, .thinking: break
      }
    }
  }

  /// How long nothing can happen but what a socket tells. A rate's latency counts from when a request
  /// should have begun, so oversleeping would be the server's fault.
  private func patience(isEnding: Bool) -> Duration {
    let now = clock.now
    var until = now + .milliseconds(50)
    guard !isEnding else { return until - now }
    if let length = order.length { until = min(until, start + length) }
    for connection in connections {
      switch connection.phase {
      case .thinking: until = min(until, connection.deadline)
      case .idle: until = min(until, order.rate.map(nextBeginning) ?? now + .milliseconds(1))
      case .connecting, .sending, .receiving: break
      }
    }
    return max(.zero, until - now)
  }

  private mutating func connected(_ index: Int) {
    let error = connections[index].socketError
    guard error == 0 else { return connectFailed(index, error) }
    connections[index].phase = .sending
    send(index)
  }

  private mutating func send(_ index: Int) {
    while !connections[index].unsent.isEmpty {
      let descriptor = connections[index].descriptor
      let count = connections[index].unsent.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      if count < 0 {
        guard errno != EAGAIN else { return }
        // An answer may have come before the reset (an early error): it is read first.
        connections[index].phase = .receiving
        return
      }
      connections[index].unsent = connections[index].unsent.dropFirst(count)
    }
    connections[index].phase = .receiving
  }

  private mutating func receive(_ index: Int, _ buffer: inout [UInt8]) {
    let descriptor = connections[index].descriptor
    let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress, $0.count, 0) }
    if count < 0 {
      guard errno != EAGAIN && errno != EINTR else { return }
      return ended(index, isReset: true, Self.words(errno))
    }
    if count == 0 { return ended(index, isReset: false, "end of file") }
    report.bytesReceived += count
    do {
      try buffer.withUnsafeBytes {
        try connections[index].parser.take(UnsafeRawBufferPointer(rebasing: $0[..<count]))
      }
    } catch {
      return fail(index, .malformed, "\(error)")
    }
    if connections[index].parser.isComplete { completed(index) }
  }

  private mutating func ended(_ index: Int, isReset: Bool, _ detail: String) {
    if !isReset, connections[index].parser.closed() { return completed(index) }
    let failure: LoadFailure =
      switch (connections[index].parser.hasBegun, connections[index].isReused, isReset) {
      case (true, _, _): .midResponse
      case (false, false, true): .resetOnFresh
      case (false, false, false): .closedOnFresh
      case (false, true, true): .resetOnReused
      case (false, true, false): .closedOnReused
      }
    fail(index, failure, detail)
  }

  private mutating func completed(_ index: Int) {
    let parser = connections[index].parser
    guard parser.status == order.expectedStatus else {
      return fail(index, .wrongStatus, "\(parser.status)")
    }
    // A longer body than any that is expected differs from them within its beginning.
    let isOneOf = order.expectedBodies.isEmpty || order.expectedBodies.contains(parser.bodyStart)
    if !isOneOf || order.expectedBody.map({ !parser.bodyStart.starts(with: $0) }) ?? false {
      return fail(
        index,
        .wrongBody,
        String(decoding: parser.bodyStart.prefix(40), as: UTF8.self)
      )
    }
    report.succeeded(after: clock.now - connections[index].started)
    if parser.keepsAlive && !order.usesNewConnections {
      connections[index].isReused = true
    } else {
      connections[index].close()
    }
    rest(index)
  }

  private mutating func fail(_ index: Int, _ failure: LoadFailure, _ detail: String) {
    report.failed(
      failure,
      detail,
      at: (clock.now - start) / .seconds(1),
      localPort: connections[index].isOpen ? connections[index].localPort : 0
    )
    connections[index].close()
    rest(index)
  }

  private mutating func rest(_ index: Int) {
    connections[index].phase = order.thinking > .zero ? .thinking : .idle
    connections[index].deadline = clock.now + order.thinking
  }

  private static func words(_ error: Int32) -> String { String(cString: strerror(error)) }
}

/// Told from outside, looked at in every turn.
final class StopFlag: Sendable {
  private let flag = Atomic(false)

  var isSet: Bool { flag.load(ordering: .relaxed) }

  func set() {
    flag.store(true, ordering: .relaxed)
  }
}
