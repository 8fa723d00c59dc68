/// A range of IP addresses that share their first bits, as CIDR writes it (RFC 4632, RFC 4291 2.3): what a route's
/// `allow` is made of. It is what the proxy takes it to be: IPv4 addresses belong to IPv4 ranges alone, however they are
/// written.
package struct AddressRange: Sendable, Hashable, CustomStringConvertible {
  /// As it is written.
  package let description: String
  private let first: [UInt8]
  /// How many of 128 bits all addresses share; an IPv4 range has 96 more than its CIDR says.
  private let bits: Int

  /// Nil for a text that is no range, and for one whose address has bits beyond the range's own: `10.0.0.1/8`.
  package init?(written text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count <= 2, let bytes = IPLiteral.bytes(parts[0]) else { return nil }
    let family = parts[0].contains(":") ? 128 : 32
    var length = family
    if parts.count == 2 {
      guard let written = Format.number(parts[1]), written <= family else { return nil }
      length = written
    }
    description = text
    first = bytes
    bits = length + 128 - family
    guard Self.masked(first, bits) == first else { return nil }
  }

  /// False for a text that is no address.
  package func contains(_ address: String) -> Bool {
    guard let bytes = IPLiteral.bytes(address) else { return false }
    if bits < 96, IPLiteral.isMappedIPv4(bytes) { return false }
    return Self.masked(bytes, bits) == first
  }

  private static func masked(_ bytes: [UInt8], _ bits: Int) -> [UInt8] {
    bytes.enumerated().map { index, byte in
      // A shift by the whole width gives zero.
      byte & ~(UInt8.max >> UInt8(min(8, max(0, bits - index * 8))))
    }
  }
}

extension IPLiteral {
  /// The address as 16 bytes, an IPv4 one mapped into them (RFC 4291, 2.5.5.2); nil for a text that is none.
  package static func bytes(_ text: String) -> [UInt8]? {
    guard isValid(text) else { return nil }
    guard text.contains(":") else { return mappedPrefix + decimalParts(text) }
    let halves = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    // `::` leaves an empty part in the middle, and at an end of the text one more.
    let gap = halves.dropFirst().firstIndex(of: "") ?? halves.count
    let before = halves[..<gap].flatMap(groupBytes)
    let after = halves[min(gap + 1, halves.count)...].flatMap(groupBytes)
    return before + [UInt8](repeating: 0, count: 16 - before.count - after.count) + after
  }

  static func isMappedIPv4(_ bytes: [UInt8]) -> Bool { Array(bytes.prefix(12)) == mappedPrefix }

  private static let mappedPrefix = [UInt8](repeating: 0, count: 10) + [0xff, 0xff]

  private static func decimalParts(_ text: String) -> [UInt8] {
    text.split(separator: ".").compactMap { UInt8($0) }
  }

  private static func groupBytes(_ group: String) -> [UInt8] {
    if group.contains(".") { return decimalParts(group) }
    guard let number = UInt16(group, radix: 16) else { return [] }
    return [UInt8(number >> 8), UInt8(number & 0xff)]
  }
}
