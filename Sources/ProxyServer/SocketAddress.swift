import Glibc

/// An address the kernel can be handed without asking anyone: an IP literal and port, or a unix socket's path.
package struct SocketAddress: Sendable, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, Equatable {
    case ipv4(port: UInt16)
    case ipv6(port: UInt16)
    case unix
  }

  package let kind: Kind
  /// As printed: `10.9.0.5:80`, `[fd00::5]:80`, `unix:/run/app.sock`.
  package let description: String
  /// The sockaddr's bytes.
  private let bytes: [UInt8]

  package static func == (one: SocketAddress, other: SocketAddress) -> Bool {
    one.bytes == other.bytes
  }

  package var family: Int32 {
    switch kind {
    case .ipv4: AF_INET
    case .ipv6: AF_INET6
    case .unix: AF_UNIX
    }
  }

  package var port: UInt16? {
    switch kind {
    case .ipv4(let port), .ipv6(let port): port
    case .unix: nil
    }
  }

  /// Whether only this machine can reach it.
  package var isLoopback: Bool {
    switch kind {
    case .ipv4: bytes[4] == 127
    case .ipv6: Array(bytes[8..<24]) == Array(repeating: 0, count: 15) + [1]
    case .unix: true
    }
  }

  /// Whether it stands for all addresses of the machine.
  package var isWildcard: Bool {
    switch kind {
    case .ipv4: bytes[4..<8].allSatisfy { $0 == 0 }
    case .ipv6: bytes[8..<24].allSatisfy { $0 == 0 }
    case .unix: false
    }
  }

  /// An IP literal without brackets and a port; nil when it is no literal.
  package init?(literal: String, port: UInt16) {
    var four = sockaddr_in()
    if inet_pton(AF_INET, literal, &four.sin_addr) == 1 {
      four.sin_family = sa_family_t(AF_INET)
      four.sin_port = port.bigEndian
      bytes = withUnsafeBytes(of: &four) { Array($0) }
      kind = .ipv4(port: port)
      description = "\(literal):\(port)"
      return
    }
    var six = sockaddr_in6()
    guard inet_pton(AF_INET6, literal, &six.sin6_addr) == 1 else { return nil }
    six.sin6_family = sa_family_t(AF_INET6)
    six.sin6_port = port.bigEndian
    bytes = withUnsafeBytes(of: &six) { Array($0) }
    kind = .ipv6(port: port)
    description = "[\(literal)]:\(port)"
  }

  /// A unix socket; nil when the path is empty or longer than the kernel takes (107 bytes).
  package init?(unixPath path: String) {
    var address = sockaddr_un()
    let capacity = MemoryLayout.size(ofValue: address.sun_path)
    guard !path.isEmpty, path.utf8.count < capacity else { return nil }
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
    bytes = withUnsafeBytes(of: &address) { Array($0) }
    kind = .unix
    description = "unix:\(path)"
  }

  /// The path of a unix socket.
  package var unixPath: String? {
    kind == .unix ? String(description.dropFirst("unix:".count)) : nil
  }

  /// Whether a connection to it certainly ends at a listener.
  func reaches(_ listen: SocketAddress) -> Bool {
    guard port == listen.port, family == listen.family else { return false }
    return self == listen || (listen.isWildcard && isLoopback)
  }

  /// The same address with another port: the one the kernel chose for port 0.
  package func with(port: UInt16) -> SocketAddress {
    guard self.port == 0 else { return self }
    let literal = description.dropLast(":0".count).drop { $0 == "[" }
    return SocketAddress(literal: String(literal.prefix { $0 != "]" }), port: port) ?? self
  }

  func withPointer<Result>(
    _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
  ) -> Result {
    bytes.withUnsafeBytes {
      body($0.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count))
    }
  }

  /// The port a bound socket really has.
  package static func port(ofSocket descriptor: Int32) -> UInt16 {
    var storage = sockaddr_in6()
    var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    let result = withUnsafeMutablePointer(to: &storage) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        getsockname(descriptor, $0, &length)
      }
    }
    // sin_port and sin6_port have the same place.
    return result == 0 ? UInt16(bigEndian: storage.sin6_port) : 0
  }
}
