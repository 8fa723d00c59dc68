#if canImport(Glibc)
  import Glibc
#endif

/// One connection of the client, with at most one request in flight.
struct LoadConnection {
  /// -1 where there is none.
  private(set) var descriptor: Int32 = -1
  var phase = Phase.idle
  /// It has served a request before.
  var isReused = false
  var unsent: ArraySlice<UInt8> = []
  var parser = ResponseParser()
  /// From when the latency counts.
  var started = ContinuousClock.now
  /// When the request in flight, or the thinking, ends.
  var deadline = ContinuousClock.now

  enum Phase {
    case idle
    case thinking
    case connecting
    case sending
    case receiving
  }

  var isOpen: Bool { descriptor >= 0 }
  var isBusy: Bool { phase == .connecting || phase == .sending || phase == .receiving }

  /// What poll(2) is to wait for.
  var events: Int16 {
    switch phase {
    case .connecting, .sending: Int16(POLLOUT)
    case .receiving: Int16(POLLIN)
    case .idle, .thinking: 0
    }
  }

  /// Begins to connect; the errno where that failed at once.
  mutating func connect(to address: sockaddr_in) -> Int32? {
    let new = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    guard new >= 0 else { return errno }
    descriptor = new
    isReused = false
    phase = .connecting
    var one: Int32 = 1
    setsockopt(new, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    var address = address
    let result = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(new, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    return result == 0 || errno == EINPROGRESS ? nil : errno
  }

  /// The error that a connection attempt ended with; 0 where it succeeded.
  var socketError: Int32 {
    var error: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno
  }

  /// Whether the server has closed the idle connection, or sent what nobody asked for.
  var idleState: IdleState {
    var byte: UInt8 = 0
    let count = recv(descriptor, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
    if count > 0 { return .unasked }
    if count == 0 { return .closed }
    return errno == EAGAIN ? .open : .reset
  }

  enum IdleState {
    case open
    case closed
    case reset
    case unasked
  }

  var localPort: Int {
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let result = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    return result == 0 ? Int(UInt16(bigEndian: address.sin_port)) : 0
  }

  mutating func close() {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
    isReused = false
  }
}
