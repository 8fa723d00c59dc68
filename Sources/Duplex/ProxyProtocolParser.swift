/// Looks for a PROXY protocol header at the front of a connection, in pieces as they come.
///
/// It decides as early as it can: at the first byte that no header has, and before the end of a header whose
/// length is known. So it holds at most `longest` bytes, whatever length a version 2 header claims.
package struct ProxyProtocolParser: Sendable {
  package enum Outcome: Sendable, Equatable {
    case undecided
    case noHeader
    /// Its first bytes are all that was needed: the rest of its length may still have to come.
    case header(ProxyProtocolHeader)
    /// It begins as a header does and goes on as none may.
    case malformed
  }

  /// The longest that is ever held: a whole version 1 header (section 2.1).
  package static let longest = 107

  /// What came while it was undecided, and after it the bytes that decided.
  package private(set) var held: [UInt8] = []
  package private(set) var outcome = Outcome.undecided

  package init() {}

  /// Takes the next bytes, and none after its decision. The outcome is that of all bytes so far.
  package mutating func take(_ bytes: UnsafeRawBufferPointer) -> Outcome {
    var position = 0
    while outcome == .undecided, position < bytes.count {
      held.append(bytes[position])
      position += 1
      outcome = decision
    }
    return outcome
  }

  private var decision: Outcome {
    if Self.agree(held, ProxyProtocolHeader.signature1) { return version1 }
    if Self.agree(held, ProxyProtocolHeader.signature2) { return version2 }
    return .noHeader
  }

  /// Whether one begins with the other.
  private static func agree(_ held: [UInt8], _ signature: [UInt8]) -> Bool {
    zip(held, signature).allSatisfy { $0 == $1 }
  }
}

// MARK: Version 1 (section 2.1)

extension ProxyProtocolParser {
  private var version1: Outcome {
    let signature = ProxyProtocolHeader.signature1.count
    guard held.count >= signature + 2, held.suffix(2) == [0x0d, 0x0a] else {
      return held.count < Self.longest ? .undecided : .malformed
    }
    let fields = held[signature..<(held.count - 2)]
      .split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    // After UNKNOWN whatever follows is to be ignored.
    if fields[0].elementsEqual("UNKNOWN".utf8) {
      return .header(ProxyProtocolHeader(length: held.count, ends: nil))
    }
    guard let ends = Self.ends(fields) else { return .malformed }
    return .header(ProxyProtocolHeader(length: held.count, ends: ends))
  }

  /// `TCP4 SOURCE DESTINATION PORT PORT`, one space between each.
  private static func ends(_ fields: [ArraySlice<UInt8>]) -> ProxyProtocolHeader.Ends? {
    let isIPv6 = fields[0].elementsEqual("TCP6".utf8)
    guard isIPv6 || fields[0].elementsEqual("TCP4".utf8), fields.count == 5,
      fields[1...2].allSatisfy({ $0.contains(UInt8(ascii: ":")) == isIPv6 }),
      let source = IPAddress(ascii: fields[1]), let destination = IPAddress(ascii: fields[2]),
      let sourcePort = DecimalNumber.read(ascii: fields[3], upTo: 65535),
      let destinationPort = DecimalNumber.read(ascii: fields[4], upTo: 65535)
    else { return nil }
    return ProxyProtocolHeader.Ends(
      source: .init(address: source, port: UInt16(sourcePort)),
      destination: .init(address: destination, port: UInt16(destinationPort))
    )
  }
}

// MARK: Version 2 (section 2.2)

extension ProxyProtocolParser {
  private static let fixedPart = 16

  private var version2: Outcome {
    guard held.count >= Self.fixedPart else { return .undecided }
    let length = Self.fixedPart + Int(number(14, 2))
    let isLocal = held[12] == 0x20
    guard isLocal || held[12] == 0x21 else { return .malformed }
    // A health check of the sender's own: its family and addresses are to be ignored.
    if isLocal { return .header(ProxyProtocolHeader(length: length, ends: nil)) }
    let (needed, width) =
      switch held[13] {
      case 0x00: (0, 0)
      case 0x11, 0x12: (12, 4)
      case 0x21, 0x22: (36, 16)
      case 0x31, 0x32: (216, 0)
      default: (Int.max, 0)
      }
    guard length - Self.fixedPart >= needed else { return .malformed }
    if width == 0 { return .header(ProxyProtocolHeader(length: length, ends: nil)) }
    guard held.count == Self.fixedPart + needed else { return .undecided }
    let ports = Self.fixedPart + 2 * width
    let ends = ProxyProtocolHeader.Ends(
      source: .init(address: address(Self.fixedPart, width), port: UInt16(number(ports, 2))),
      destination: .init(
        address: address(Self.fixedPart + width, width),
        port: UInt16(number(ports + 2, 2))
      )
    )
    return .header(ProxyProtocolHeader(length: length, ends: ends))
  }

  private func address(_ start: Int, _ width: Int) -> IPAddress {
    guard width == 16 else { return IPAddress(ipv4: UInt32(number(start, 4))) }
    return IPAddress(high: number(start, 8), low: number(start + 8, 8))
  }

  private func number(_ start: Int, _ count: Int) -> UInt64 {
    held[start..<(start + count)].reduce(0) { $0 << 8 | UInt64($1) }
  }
}
