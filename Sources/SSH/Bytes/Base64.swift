/// RFC 4648 section 4, as SSH's files use it.
enum Base64 {
  private static let alphabet = Array(
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8
  )
  private static let padding = UInt8(ascii: "=")

  private static let values: [UInt8?] = {
    var values = [UInt8?](repeating: nil, count: 256)
    for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
    return values
  }()

  /// The bytes, or nil where `text` is not base64 with its padding.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    let letters = text.prefix { $0 != padding }
    guard text.count % 4 == 0, text.count - letters.count <= 2,
      text.dropFirst(letters.count).allSatisfy({ $0 == padding })
    else { return nil }

    var bytes: [UInt8] = []
    bytes.reserveCapacity(letters.count * 3 / 4)
    var bits: UInt32 = 0
    var count = 0
    for letter in letters {
      guard let value = values[Int(letter)] else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    return bytes
  }

  /// Without padding, as fingerprints are written.
  static func encodeUnpadded(_ bytes: [UInt8]) -> String {
    var letters: [UInt8] = []
    var bits: UInt32 = 0
    var count = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        letters.append(alphabet[Int(bits >> count & 63)])
      }
    }
    if count > 0 { letters.append(alphabet[Int(bits << (6 - count) & 63)]) }
    return String(decoding: letters, as: UTF8.self)
  }
}
