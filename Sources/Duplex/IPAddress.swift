/// An IP address as a number, network byte order first; an IPv4 address is its IPv4-mapped IPv6 address
/// (RFC 4291, 2.5.5.2), so that one machine is one value whichever socket it came by.
package struct IPAddress: Sendable, Hashable {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// - Parameter ipv4: `127.0.0.1` is `0x7f00_0001`.
  package init(ipv4: UInt32) {
    self.init(high: 0, low: 0xffff_0000_0000 | UInt64(ipv4))
  }
}
