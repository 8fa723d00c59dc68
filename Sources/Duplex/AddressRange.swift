/// A range of IP addresses that share their first bits, as CIDR writes it (RFC 4632, RFC 4291 2.3).
///
/// IPv4 addresses belong to IPv4 ranges alone, however they came: `::/0` is all of IPv6, not all there is.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
  package enum Problem: Error, Equatable {
    case notARange
    /// The address has bits beyond the range's own; the range that was probably meant.
    case bitsBeyond(AddressRange)
  }

  package let first: IPAddress
  /// How many of 128 bits all addresses share; an IPv4 range has 96 more than its CIDR says.
  private let bits: Int

  /// - Parameter text: `10.0.0.0/8`, `fd00::/8`, or one address alone.
  package init(_ text: some StringProtocol) throws(Problem) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count <= 2, let address = IPAddress(parts[0]) else { throw .notARange }
    // `::ffff:10.0.0.0/104` counts its bits as IPv6 does.
    let family = parts[0].contains(":") ? 128 : 32
    var length = family
    if parts.count == 2 {
      guard let written = DecimalNumber.read(ascii: Array(parts[1].utf8)[...], upTo: family) else {
        throw .notARange
      }
      length = written
    }
    self.init(around: address, bits: length + 128 - family)
    guard first == address else { throw .bitsBeyond(self) }
  }

  private init(around address: IPAddress, bits: Int) {
    // A shift by the whole width gives zero.
    first = IPAddress(
      high: address.high & ~(UInt64.max >> min(bits, 64)),
      low: address.low & ~(UInt64.max >> max(0, bits - 64))
    )
    self.bits = bits
  }

  package func contains(_ address: IPAddress) -> Bool {
    if address.isIPv4, bits < 96 { return false }
    return AddressRange(around: address, bits: bits).first == first
  }

  /// With its length, also where it is one address.
  package var description: String {
    first.isIPv4 && bits >= 96 ? "\(first)/\(bits - 96)" : "\(first)/\(bits)"
  }
}
