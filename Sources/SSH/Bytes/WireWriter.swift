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
