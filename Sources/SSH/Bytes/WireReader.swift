/// Reads the data types of RFC 4251 section 5 from bytes that a stranger made.
struct WireReader {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: some Sequence<UInt8>) {
    rest = ArraySlice(Array(bytes))
  }

  /// The bytes end before the value does.
  struct Truncated: Error, Hashable {}

  var isAtEnd: Bool { rest.isEmpty }
  var remainder: [UInt8] { Array(rest) }

  mutating func take(_ count: Int) throws(Truncated) -> [UInt8] {
    guard count <= rest.count else { throw Truncated() }
    defer { rest = rest.dropFirst(count) }
    return Array(rest.prefix(count))
  }

  mutating func byte() throws(Truncated) -> UInt8 {
    try take(1)[0]
  }

  mutating func uint32() throws(Truncated) -> UInt32 {
    try take(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  mutating func string() throws(Truncated) -> [UInt8] {
    try take(Int(try uint32()))
  }

  mutating func text() throws(Truncated) -> String {
    String(decoding: try string(), as: UTF8.self)
  }
}

/// Writes the data types of RFC 4251 section 5.
struct WireWriter {
  private(set) var bytes: [UInt8] = []

  mutating func byte(_ value: UInt8) { bytes.append(value) }

  mutating func uint32(_ value: UInt32) {
    for shift in [24, 16, 8, 0] as [UInt32] {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  mutating func string(_ value: some Collection<UInt8>) {
    uint32(UInt32(value.count))
    bytes.append(contentsOf: value)
  }

  /// An mpint from the magnitude of a positive number, most significant byte first.
  mutating func positiveInteger(_ magnitude: [UInt8]) {
    let digits = magnitude.drop { $0 == 0 }
    guard let first = digits.first, first >= 0x80 else { return string(digits) }
    string([0] + digits)
  }
}
