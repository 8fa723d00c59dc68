/// A header of the PROXY protocol (HAProxy's proxy-protocol.txt): who a connection really is between.
package struct ProxyProtocolHeader: Sendable, Equatable {
  package struct Endpoint: Sendable, Equatable {
    package let address: IPAddress
    package let port: UInt16

    package init(address: IPAddress, port: UInt16) {
      self.address = address
      self.port = port
    }
  }

  package struct Ends: Sendable, Equatable {
    package let source: Endpoint
    package let destination: Endpoint

    package init(source: Endpoint, destination: Endpoint) {
      self.source = source
      self.destination = destination
    }
  }

  /// Bytes of it, what is appended to the addresses included.
  package let length: Int
  /// Nil where the sender does not say (UNKNOWN, LOCAL, UNSPEC), or speaks of unix sockets.
  package let ends: Ends?

  package init(length: Int, ends: Ends?) {
    self.length = length
    self.ends = ends
  }

  static let signature1 = Array("PROXY ".utf8)
  static let signature2: [UInt8] = [
    0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a,
  ]

  /// The version 2 header for a TCP connection between these two (section 2.2); LOCAL where nil.
  package static func version2(_ ends: Ends?) -> [UInt8] {
    guard let ends else { return signature2 + [0x20, 0x00, 0, 0] }
    let (source, destination) = (ends.source, ends.destination)
    let isIPv4 = source.address.isIPv4 && destination.address.isIPv4
    let addresses = [source.address, destination.address].flatMap {
      isIPv4 ? bytes($0.low, 4) : bytes($0.high, 8) + bytes($0.low, 8)
    }
    let ports = [source.port, destination.port].flatMap { bytes(UInt64($0), 2) }
    return signature2 + [0x21, isIPv4 ? 0x11 : 0x21, 0, UInt8(addresses.count + ports.count)]
      + addresses + ports
  }

  /// The last `count` bytes of a number, network byte order.
  private static func bytes(_ number: UInt64, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: number >> (8 * (count - 1 - $0))) }
  }
}
