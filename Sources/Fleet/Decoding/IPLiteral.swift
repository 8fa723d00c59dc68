/// An IP address written as one, as the proxy needs it.
package enum IPLiteral {
  /// Whether the text is an IPv4 address of four decimal parts or an IPv6 address (RFC 4291,
  /// section 2.2), without brackets, zone or prefix length.
  package static func isValid(_ text: String) -> Bool {
    isIPv4(Substring(text)) || isIPv6(text)
  }

  /// Any address of the machine: `0.0.0.0` or `::`.
  package static func isWildcard(_ text: String) -> Bool { text == "0.0.0.0" || text == "::" }

  package static func isLoopback(_ text: String) -> Bool {
    text == "::1" || (isIPv4(Substring(text)) && text.hasPrefix("127."))
  }

  private static func isIPv4(_ text: Substring) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in
        (1...3).contains(part.utf8.count) && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
          && Int(part)! <= 255 && (part.utf8.count == 1 || part.first != "0")
      }
  }

  private static func isIPv6(_ text: String) -> Bool {
    let halves = text.split(separator: "::", maxSplits: 1, omittingEmptySubsequences: false)
    guard let last = halves.last, !last.contains("::"),
      // Four decimal parts stand at the end or nowhere.
      halves.count == 1 || !halves[0].contains(".")
    else { return false }
    let groups = halves.map(groupCount)
    guard groups.allSatisfy({ $0 != nil }) else { return false }
    let sum = groups.reduce(0) { $0 + $1! }
    return halves.count == 1 ? sum == 8 : sum < 8
  }

  /// How many groups of 16 bits one side of `::` holds; nil for what is none.
  private static func groupCount(_ text: Substring) -> Int? {
    guard !text.isEmpty else { return 0 }
    var parts = text.split(separator: ":", omittingEmptySubsequences: false)
    var count = 0
    if let last = parts.last, last.contains(".") {
      guard isIPv4(last) else { return nil }
      parts.removeLast()
      count = 2
    }
    let areGroups = parts.allSatisfy { part in
      (1...4).contains(part.utf8.count) && part.allSatisfy { $0.isASCII && $0.isHexDigit }
    }
    return areGroups ? count + parts.count : nil
  }
}
