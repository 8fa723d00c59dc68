/// IP addresses as they are written: no zone, no brackets, no port.
extension IPAddress: CustomStringConvertible {
  /// Whether it is an IPv4 address, written as one or mapped.
  package var isIPv4: Bool { high == 0 && low >> 32 == 0xffff }

  /// Four decimal parts, or an IPv6 address (RFC 4291, 2.2); nil for anything else.
  package init?(_ text: some StringProtocol) { self.init(ascii: Array(text.utf8)[...]) }

  init?(ascii text: ArraySlice<UInt8>) {
    if text.contains(UInt8(ascii: ":")) {
      guard let groups = Self.groups(ascii: text) else { return nil }
      let halves = [groups[..<4], groups[4...]].map {
        $0.reduce(UInt64(0)) { $0 << 16 | UInt64($1) }
      }
      self.init(high: halves[0], low: halves[1])
    } else {
      guard let number = Self.ipv4(ascii: text) else { return nil }
      self.init(ipv4: number)
    }
  }

  /// `10.0.0.1`; IPv6 as RFC 5952 writes it.
  package var description: String {
    if isIPv4 { return [24, 16, 8, 0].map { String(low >> $0 & 0xff) }.joined(separator: ".") }
    let groups = [high, low].flatMap { half in [48, 32, 16, 0].map { half >> $0 & 0xffff } }
    let hidden = Self.longestZeros(groups)
    func text(_ part: ArraySlice<UInt64>) -> String {
      part.map { String($0, radix: 16) }.joined(separator: ":")
    }
    guard hidden.count > 1 else { return text(groups[...]) }
    return text(groups[..<hidden.lowerBound]) + "::" + text(groups[hidden.upperBound...])
  }
}

// MARK: Reading

extension IPAddress {
  private static func ipv4(ascii text: ArraySlice<UInt8>) -> UInt32? {
    let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
      guard let value = DecimalNumber.read(ascii: part, upTo: 255) else { return nil }
      number = number << 8 | UInt32(value)
    }
    return number
  }

  /// The eight groups of an IPv6 address.
  private static func groups(ascii text: ArraySlice<UInt8>) -> [UInt16]? {
    let colon = UInt8(ascii: ":")
    let gap = text.indices.dropLast().first { text[$0] == colon && text[$0 + 1] == colon }
    guard let gap else {
      return written(ascii: text, mayEndInIPv4: true).flatMap { $0.count == 8 ? $0 : nil }
    }
    guard let before = written(ascii: text[..<gap], mayEndInIPv4: false),
      let after = written(ascii: text[(gap + 2)...], mayEndInIPv4: true),
      before.count + after.count < 8
    else { return nil }
    return before + Array(repeating: 0, count: 8 - before.count - after.count) + after
  }

  /// The groups on one side of `::`.
  private static func written(ascii text: ArraySlice<UInt8>, mayEndInIPv4: Bool) -> [UInt16]? {
    guard !text.isEmpty else { return [] }
    var parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    var last: [UInt16] = []
    if mayEndInIPv4, let part = parts.last, part.contains(UInt8(ascii: ".")) {
      guard let number = ipv4(ascii: part) else { return nil }
      last = [UInt16(number >> 16), UInt16(number & 0xffff)]
      parts.removeLast()
    }
    var groups: [UInt16] = []
    for part in parts {
      guard (1...4).contains(part.count),
        part.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
        let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
      else { return nil }
      groups.append(group)
    }
    return groups + last
  }

  /// The first of the longest runs of zeros.
  private static func longestZeros(_ groups: [UInt64]) -> Range<Int> {
    var longest = 0..<0
    var start = 0
    for index in groups.indices {
      if groups[index] != 0 {
        start = index + 1
      } else if index + 1 - start > longest.count {
        longest = start..<(index + 1)
      }
    }
    return longest
  }
}

/// Decimal numbers as protocols write them: digits alone, and no zero in front.
enum DecimalNumber {
  static func read(ascii text: ArraySlice<UInt8>, upTo limit: Int) -> Int? {
    guard (1...9).contains(text.count), text.count == 1 || text.first != UInt8(ascii: "0") else {
      return nil
    }
    var number = 0
    for digit in text {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
      number = number * 10 + Int(digit - UInt8(ascii: "0"))
    }
    return number <= limit ? number : nil
  }
}
