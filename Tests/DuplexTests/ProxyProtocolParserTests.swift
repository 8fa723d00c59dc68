import Testing

@testable import Duplex

@Suite struct ProxyProtocolParserTests {
  private typealias Outcome = ProxyProtocolParser.Outcome

  private static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]

  /// The outcome of bytes that come in pieces of one size.
  private func outcome(_ bytes: [UInt8], inPiecesOf size: Int? = nil) -> Outcome {
    var parser = ProxyProtocolParser()
    var rest = bytes[...]
    while !rest.isEmpty, parser.outcome == .undecided {
      let piece = Array(rest.prefix(size ?? rest.count))
      rest = rest.dropFirst(piece.count)
      _ = piece.withUnsafeBytes { parser.take($0) }
    }
    return parser.outcome
  }

  private func ends(
    _ source: String,
    _ sourcePort: UInt16,
    _ destination: String,
    _ destinationPort: UInt16
  ) -> ProxyProtocolHeader.Ends {
    .init(
      source: .init(address: IPAddress(source)!, port: sourcePort),
      destination: .init(address: IPAddress(destination)!, port: destinationPort)
    )
  }

  private func version2(_ command: UInt8, _ family: UInt8, _ block: [UInt8]) -> [UInt8] {
    Self.signature + [command, family, UInt8(block.count >> 8), UInt8(block.count & 0xff)] + block
  }

  /// Whether every way to cut the bytes in two, and single bytes, come to one outcome.
  private func expectInEveryCut(_ bytes: [UInt8], _ expected: Outcome) {
    #expect(outcome(bytes) == expected)
    #expect(outcome(bytes, inPiecesOf: 1) == expected)
    for cut in 1..<max(2, bytes.count) {
      var parser = ProxyProtocolParser()
      _ = Array(bytes[..<cut]).withUnsafeBytes { parser.take($0) }
      if parser.outcome == .undecided {
        _ = Array(bytes[cut...]).withUnsafeBytes { parser.take($0) }
      }
      #expect(parser.outcome == expected, "cut at \(cut)")
    }
  }

  @Test func `version 1 names both ends, in every cut`() {
    let four = "PROXY TCP4 192.0.2.1 198.51.100.9 56324 443\r\n"
    expectInEveryCut(
      Array((four + "GET / HTTP/1.1\r\n").utf8),
      .header(.init(length: four.utf8.count, ends: ends("192.0.2.1", 56324, "198.51.100.9", 443)))
    )
    let six = "PROXY TCP6 2001:db8::1 ::1 0 65535\r\n"
    expectInEveryCut(
      Array((six + "\r\n").utf8),
      .header(.init(length: six.utf8.count, ends: ends("2001:db8::1", 0, "::1", 65535)))
    )
  }

  @Test(arguments: ["PROXY UNKNOWN\r\n", "PROXY UNKNOWN ffff::1 what ever\rit is\r\n"])
  func `version 1 may not know its ends, and what follows is ignored`(_ text: String) {
    expectInEveryCut(
      Array((text + "x").utf8),
      .header(.init(length: text.utf8.count, ends: nil))
    )
  }

  @Test func `the longest version 1 header is a header, and one byte more is not`() {
    let longest = "PROXY UNKNOWN " + String(repeating: "f", count: 91) + "\r\n"
    #expect(longest.utf8.count == ProxyProtocolParser.longest)
    expectInEveryCut(Array(longest.utf8), .header(.init(length: 107, ends: nil)))

    let longer = "PROXY UNKNOWN " + String(repeating: "f", count: 92) + "\r\n"
    expectInEveryCut(Array(longer.utf8), .malformed)
  }

  @Test(arguments: [
    "PROXY \r\n", "PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n", "PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n",
    "PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n", "PROXY TCP4 1.2.3.4 1.2.3.04 1 2\r\n",
    "PROXY TCP4 ::1 ::1 1 2\r\n", "PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n", "PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n",
    "PROXY UNKNOWNS\r\n", "PROXY /index.html HTTP/1.1\r\n",
  ])
  func `a line that begins as version 1 and is none is malformed`(_ text: String) {
    expectInEveryCut(Array(text.utf8), .malformed)
  }

  @Test func `version 2 names both ends before what is appended to them has come`() {
    let addresses: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 9, 0xdc, 0x04, 0x01, 0xbb]
    let appended: [UInt8] = [0x04, 0, 3, 1, 2, 3]
    let header = version2(0x21, 0x11, addresses + appended)
    let expected = Outcome.header(
      .init(length: 34, ends: ends("192.0.2.1", 56324, "198.51.100.9", 443))
    )
    expectInEveryCut(header + Array("GET".utf8), expected)
    #expect(outcome(Array(header[..<28])) == expected)
    #expect(outcome(Array(header[..<27])) == .undecided)

    let six = [UInt8](repeating: 0, count: 15) + [1] + [0xfd] + [UInt8](repeating: 0, count: 15)
    expectInEveryCut(
      version2(0x21, 0x22, six + [0, 1, 0, 2]),
      .header(.init(length: 52, ends: ends("::1", 1, "fd00::", 2)))
    )
  }

  @Test(arguments: [
    (0x20, 0x00, 0), (0x20, 0x11, 3), (0x20, 0xff, 500), (0x21, 0x00, 0), (0x21, 0x00, 300),
    (0x21, 0x31, 216), (0x21, 0x32, 65535),
  ])
  func `version 2 without addresses of use is known by its first 16 bytes`(
    _ command: Int,
    _ family: Int,
    _ count: Int
  ) {
    let bytes = version2(UInt8(command), UInt8(family), Array(repeating: 7, count: count))
    let expected = Outcome.header(.init(length: 16 + count, ends: nil))
    #expect(outcome(Array(bytes[..<16])) == expected)
    #expect(outcome(Array(bytes[..<15])) == .undecided)
    #expect(outcome(bytes, inPiecesOf: 1) == expected)
  }

  @Test(arguments: [
    (0x11, 0x11, 12), (0x22, 0x11, 12), (0x2f, 0x11, 12), (0x21, 0x11, 11), (0x21, 0x21, 35),
    (0x21, 0x31, 215), (0x21, 0x10, 12), (0x21, 0x41, 12), (0x21, 0x13, 12),
  ])
  func `version 2 that no sender may send is malformed`(
    _ command: Int,
    _ family: Int,
    _ count: Int
  ) {
    let bytes = version2(UInt8(command), UInt8(family), Array(repeating: 7, count: count))
    expectInEveryCut(bytes, .malformed)
  }

  @Test(arguments: [
    ("GET / HTTP/1.1\r\n", 1), ("PROXZ TCP4 1.2.3.4 1.2.3.4 1 2\r\n", 5), ("PROXY\r\n", 6),
    ("proxy TCP4", 1), ("\r\n\r\n\0\r\nQUIU", 11), ("\r\n\r\n\0\r\nQUIT\r", 12), ("\r\n\r\nGET", 5),
    ("\r\nP", 3),
  ])
  func `a near miss is no header, from the byte on that misses`(_ text: String, _ at: Int) {
    let bytes = Array(text.utf8)
    expectInEveryCut(bytes, .noHeader)
    #expect(outcome(Array(bytes[..<(at - 1)])) == .undecided)
    #expect(outcome(Array(bytes[..<at])) == .noHeader)
  }

  @Test(arguments: [
    ("192.0.2.1", "198.51.100.9", 28), ("2001:db8::1", "fd00::", 52), ("192.0.2.1", "::1", 52),
  ])
  func `a header that is made here is read back`(
    _ source: String,
    _ destination: String,
    _ length: Int
  ) {
    let ends = ends(source, 56324, destination, 443)
    let bytes = ProxyProtocolHeader.version2(ends)
    #expect(bytes.count == length)
    #expect(outcome(bytes) == .header(.init(length: length, ends: ends)))
    #expect(outcome(ProxyProtocolHeader.version2(nil)) == .header(.init(length: 16, ends: nil)))
  }
}
