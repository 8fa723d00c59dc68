import CLinux
import Glibc

/// A server that is as bad as a shadow can be: one thread, epoll. It answers nobody, save `endless`. (`sound` is a `Sink`.)
struct BadShadowServer: ~Copyable {
  private let kind: BadShadow
  private let port: LoopbackPort
  private let epoll: Int32
  /// Bound and never listening: while nobody listens, no connection that leaves this machine gets the port.
  private let reservation: Int32
  /// What `endless` answers, in pages of the kernel's: copying it would take time of the clients' processor.
  private var answer: UnsafeMutablePointer<FILE>?
  private var listener: Int32 = -1
  private var fillers: [Int32] = []
  private var connections: Set<Int32> = []
  /// Connections that are closed later, the next one first.
  private var leaving: [(descriptor: Int32, at: UInt64)] = []
  private var isLeaving: Set<Int32> = []
  private var nextTick: UInt64 = 0
  private let buffer: UnsafeMutableRawBufferPointer
  private let events: UnsafeMutableBufferPointer<epoll_event>

  init(_ kind: BadShadow, on port: LoopbackPort) throws {
    self.kind = kind
    self.port = port
    epoll = clinux_epoll_create()
    reservation = clinux_stream_socket(AF_INET)
    buffer = .allocate(byteCount: 64 << 10, alignment: 64)
    buffer.initializeMemory(as: UInt8.self, repeating: UInt8(ascii: "x"))
    events = .allocate(capacity: 256)
    events.initialize(repeating: epoll_event())
    try reserve()
    if kind != .refused { try listen() }
  }

  deinit {
    for descriptor in connections.union(fillers) { close(descriptor) }
    if listener >= 0 { close(listener) }
    close(reservation)
    close(epoll)
    if let answer { fclose(answer) }
    buffer.deallocate()
    events.deallocate()
  }

  /// Serves until a stop signal comes.
  mutating func run() throws {
    while clinux_stop_noted() == 0 { try turn() }
  }

  private func reserve() throws {
    guard epoll >= 0, reservation >= 0 else { throw BenchError.system("a bad shadow", EMFILE) }
    var yes: Int32 = 1
    setsockopt(reservation, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
    guard port.withAddress({ bind(reservation, $0, $1) }) == 0 else {
      throw BenchError.system("binding to \(port)", errno)
    }
  }

  private mutating func listen() throws {
    listener = try port.listen().descriptor
    switch kind {
    // As little as possible waits in the kernel: the rest waits in the proxy.
    case .stuck, .slow: limit(SO_RCVBUF, to: 4096)
    case .endless:
      // What it has yet to send takes memory of this machine, which a shadow elsewhere would not.
      limit(SO_SNDBUF, to: 64 << 10)
      try prepareAnswer()
    case .blackholed:
      guard Glibc.listen(listener, 0) == 0 else { throw BenchError.system("listening", errno) }
      fillers = (0..<4).map { _ in clinux_stream_socket(AF_INET) }
      for filler in fillers { _ = port.withAddress { clinux_connect(filler, $0, $1) } }
      return
    case .refused, .resetting, .flapping, .sound: break
    }
    try watch(listener, EPOLLIN.rawValue)
  }

  private mutating func prepareAnswer() throws {
    // sendfile cannot be told to spare this process the signal.
    signal(SIGPIPE, SIG_IGN)
    answer = tmpfile()
    guard let answer, fwrite(buffer.baseAddress, buffer.count, 1, answer) == 1, fflush(answer) == 0
    else { throw BenchError.system("writing an answer", errno) }
  }

  /// Limits a buffer of the connections that it will accept.
  private func limit(_ buffer: Int32, to bytes: Int32) {
    var size = bytes
    setsockopt(listener, SOL_SOCKET, buffer, &size, socklen_t(MemoryLayout<Int32>.size))
  }

  private func watch(_ descriptor: Int32, _ kinds: UInt32) throws {
    let result = clinux_epoll_add(epoll, descriptor, kinds, UInt64(descriptor))
    guard result == 0 else { throw BenchError.system("epoll", -result) }
  }
}

// MARK: Turns

private let tick: UInt64 = 100_000_000
private let flapTime: UInt64 = 2_000_000_000
/// Longer than a proxy waits for a shadow that has not finished.
private let stay: UInt64 = 7_000_000_000

extension BadShadowServer {
  /// Waits for the next events, no longer than 20 ms, and handles them.
  mutating func turn() throws {
    let count = clinux_epoll_wait(epoll, events.baseAddress, Int32(events.count), 20)
    guard count >= 0 else { throw BenchError.system("epoll", -count) }
    for position in 0..<Int(count) {
      let descriptor = Int32(events[position].data.u64)
      if descriptor == listener {
        try accept()
      } else if connections.contains(descriptor) {
        serve(descriptor)
      }
    }
    try lookAtClock(clinux_monotonic_nanoseconds())
  }

  private mutating func lookAtClock(_ now: UInt64) throws {
    let due = leaving.prefix { $0.at <= now }.count
    for leaver in leaving.prefix(due) { drop(leaver.descriptor) }
    leaving.removeFirst(due)
    guard now >= nextTick else { return }
    switch kind {
    case .slow:
      for descriptor in connections { read(descriptor, atMost: 1024) }
      nextTick = now + tick
    case .flapping:
      if nextTick > 0 { try flap() }
      nextTick = now + flapTime
    case .refused, .blackholed, .stuck, .resetting, .endless, .sound: break
    }
  }

  private mutating func flap() throws {
    guard listener >= 0 else { return try listen() }
    close(listener)
    listener = -1
    for descriptor in connections { clinux_close_by_reset(descriptor) }
    connections = []
  }
}

// MARK: Connections

extension BadShadowServer {
  private mutating func accept() throws {
    while true {
      let descriptor = clinux_accept(listener)
      if descriptor == -EAGAIN { return }
      if descriptor == -EMFILE || descriptor == -ENFILE {
        // Those that wait are served no worse than the others.
        usleep(10_000)
        return
      }
      if descriptor == -ECONNABORTED { continue }
      guard descriptor >= 0 else { throw BenchError.system("accepting", -descriptor) }
      connections.insert(descriptor)
      switch kind {
      case .stuck: try watch(descriptor, EPOLLRDHUP.rawValue | EPOLLET.rawValue)
      case .resetting, .flapping: try watch(descriptor, EPOLLIN.rawValue)
      case .endless: try watch(descriptor, EPOLLOUT.rawValue)
      case .refused, .blackholed, .slow, .sound: break
      }
    }
  }

  private mutating func serve(_ descriptor: Int32) {
    switch kind {
    case .stuck:
      // The end of the copy comes first, a reset may come later.
      guard isLeaving.insert(descriptor).inserted else { return }
      leaving.append((descriptor, clinux_monotonic_nanoseconds() + stay))
    case .resetting:
      _ = clinux_receive(descriptor, buffer.baseAddress, 16)
      connections.remove(descriptor)
      clinux_close_by_reset(descriptor)
    case .flapping: read(descriptor, atMost: buffer.count)
    case .endless: stream(to: descriptor)
    case .refused, .blackholed, .slow, .sound: break
    }
  }

  private mutating func read(_ descriptor: Int32, atMost size: Int) {
    let count = clinux_receive(descriptor, buffer.baseAddress, size)
    if count <= 0, count != -Int(EAGAIN) { drop(descriptor) }
  }

  /// Takes what came, and sends 1 MB, or until the socket is full. Only a close of the whole connection ends it.
  private mutating func stream(to descriptor: Int32) {
    _ = clinux_discard(descriptor, 1 << 20)
    for _ in 0..<16 {
      var offset = 0
      let sent = sendfile(descriptor, fileno(answer), &offset, buffer.count)
      if sent < 0, errno == EAGAIN { return }
      guard sent > 0 else { return drop(descriptor) }
    }
  }

  private mutating func drop(_ descriptor: Int32) {
    guard connections.remove(descriptor) != nil else { return }
    isLeaving.remove(descriptor)
    close(descriptor)
  }
}
