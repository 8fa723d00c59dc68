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
