import Duplex

/// The flags that say which of a route's connections are copied.
enum CopyingFlag: String {
  case sample = "--sample"
  case amplify = "--amplify"
  case rate = "--shadow-rate"
  case breaker = "--breaker"

  var expected: String {
    switch self {
    case .sample: "a share above 0 and up to 100%, such as 10% or 0.5%,"
    case .amplify: "a number of 1 to 100"
    case .rate: "connections a second, 1 to 1000000,"
    case .breaker: "on or off"
    }
  }

  /// Changes the policy to what was written; false where that is nothing the flag takes.
  func change(_ policy: inout CopyingPolicy, to text: String) -> Bool {
    switch self {
    case .sample:
      guard let sample = ClientSample(percent: text) else { return false }
      policy.sample = sample
    case .amplify:
      guard let copies = Self.number(text[...], upTo: 100), copies > 0 else { return false }
      policy.copies = copies
    case .rate:
      guard let rate = Self.number(text[...], upTo: 1_000_000), rate > 0 else { return false }
      policy.rate = rate
    case .breaker:
      guard text == "on" || text == "off" else { return false }
      policy.hasBreaker = text == "on"
    }
    return true
  }

  /// Up to nine decimal digits and nothing else.
  fileprivate static func number(_ text: Substring, upTo greatest: Int) -> Int? {
    let isNumber = (1...9).contains(text.utf8.count) && text.utf8.allSatisfy { 48...57 ~= $0 }
    return isNumber ? Int(text).flatMap { $0 <= greatest ? $0 : nil } : nil
  }
}

extension ClientSample {
  /// Reads `10%` or `0.5%`: up to four digits after the point.
  fileprivate init?(percent text: String) {
    let parts = text.dropLast().split(separator: ".", omittingEmptySubsequences: false)
    guard text.last == "%", parts.count <= 2, let whole = CopyingFlag.number(parts[0], upTo: 100)
    else { return nil }
    var fraction = 0
    if parts.count == 2 {
      let padded = parts[1] + String(repeating: "0", count: max(0, 4 - parts[1].utf8.count))
      guard !parts[1].isEmpty, padded.utf8.count == 4,
        let digits = CopyingFlag.number(padded, upTo: 9999)
      else { return nil }
      fraction = digits
    }
    let millionths = whole * 10_000 + fraction
    guard (1...1_000_000).contains(millionths) else { return nil }
    self.init(millionths: millionths)
  }
}

extension CopyingPolicy {
  /// More connections than this for one client's are a mistake.
  private static let copiesInAll = 1000

  /// Why so many shadows cannot be copied to; nil where they can.
  func problem(shadows: Int) -> String? {
    guard shadows * copies > Self.copiesInAll else { return nil }
    return
      "\(shadows) shadows \(copies) times are more than \(Self.copiesInAll) copies of a connection"
  }
}

extension CopyingPolicy: CustomStringConvertible {
  /// For --check: `every client once, breaker on`.
  package var description: String {
    let clients =
      sample.map { "\(Double($0.millionths) / 10_000)% of the clients" } ?? "every client"
    let times = copies == 1 ? "once" : "\(copies) times"
    let limit = rate.map { ", up to \($0) connections a second to each shadow" } ?? ""
    return "\(clients) \(times)\(limit), breaker \(hasBreaker ? "on" : "off")"
  }
}
