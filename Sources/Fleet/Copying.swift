/// Which connections of a route are copied to its shadows, and how often.
package struct Copying: Sendable, Hashable {
  /// A share of the clients, chosen by address; nil: all of them.
  package var sample: Sample?
  /// How many copies of each connection every shadow gets: 1 to 100.
  package var amplify: Int
  /// Connections to each shadow a second, 1 to 1 000 000; nil: any number.
  package var rate: Int?
  /// Whether a shadow that does not work is spared for a while.
  package var breaker: Breaker

  package init(
    sample: Sample? = nil,
    amplify: Int = 1,
    rate: Int? = nil,
    breaker: Breaker = .on
  ) {
    self.sample = sample
    self.amplify = amplify
    self.rate = rate
    self.breaker = breaker
  }

  /// To all shadows together; the proxy takes no more.
  package static let mostCopies = 1000

  package enum Breaker: String, Sendable, Hashable, CaseIterable {
    case on
    case off
  }

  /// A share above 0 and up to 100 %, as it is written: `10%`, `0.5%`.
  package struct Sample: Sendable, Hashable, CustomStringConvertible {
    package let description: String

    /// Nil for a text that is no such share. Up to four digits may follow the point.
    package init?(written text: String) {
      let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
      guard text.last == "%", parts.count <= 2, let whole = Format.number(String(parts[0])),
        let fraction = parts.count < 2 ? 0 : Self.tenThousandths(parts[1])
      else { return nil }
      guard whole <= 100, (1...1_000_000).contains(whole * 10_000 + fraction) else { return nil }
      description = text
    }

    /// All clients: `100%`.
    package var isEverybody: Bool { description.hasPrefix("100") }

    private static func tenThousandths(_ digits: Substring) -> Int? {
      guard (1...4).contains(digits.utf8.count), digits.utf8.allSatisfy({ 48...57 ~= $0 })
      else { return nil }
      return Int(digits + String(repeating: "0", count: 4 - digits.utf8.count))
    }
  }
}
