import CLinux
import Glibc

/// One connection of the load client, with at most one request in flight.
struct LoadConnection {
  var descriptor: Int32 = -1
  var phase = Phase.closed
  /// Bytes of the request that were sent.
  var sent = 0
  /// When the request began, or was due.
  var began: UInt64 = 0
  var parser = MessageParser(.answer)

  enum Phase {
    case closed
    case connecting
    case idle
    case sending
    case receiving
    /// The answer is here; the server has yet to close.
    case closing
    /// It failed, and is not used again.
    case failed
  }

  var isBusy: Bool {
    switch phase {
    case .connecting, .sending, .receiving, .closing: true
    case .closed, .idle, .failed: false
    }
  }

  mutating func close(_ phase: Phase) {
    if descriptor >= 0 { Glibc.close(descriptor) }
    descriptor = -1
    self.phase = phase
  }
}

/// An IPv4 port on this machine.
struct LoopbackPort: Hashable, Codable, Sendable, CustomStringConvertible {
  let number: UInt16

  init(_ number: UInt16) {
    self.number = number
  }

  var description: String { "127.0.0.1:\(number)" }

  func withAddress<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Result
  ) rethrows -> Result {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = number.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let size = MemoryLayout<sockaddr_in>.size
    return try withUnsafePointer(to: &address) {
      try $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, socklen_t(size)) }
    }
  }

  /// Ports that were free a moment ago, all different.
  static func free(_ count: Int) throws -> [LoopbackPort] {
    var descriptors: [Int32] = []
    defer { for descriptor in descriptors { close(descriptor) } }
    return try (0..<count).map { _ in
      let listener = try LoopbackPort(0).listen()
      descriptors.append(listener.descriptor)
      return listener.port
    }
  }

  /// Opens a listening socket there; 0 takes any port, and the one it got is given back.
  func listen() throws -> (descriptor: Int32, port: LoopbackPort) {
    let descriptor = withAddress { clinux_listen($0, $1) }
    guard descriptor >= 0 else { throw BenchError.system("listening on \(self)", -descriptor) }
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
      _ = $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &size)
      }
    }
    return (descriptor, LoopbackPort(UInt16(bigEndian: address.sin_port)))
  }
}
