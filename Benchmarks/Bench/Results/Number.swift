/// Numbers as people read them.
enum Number {
  /// Three digits that count, and no fraction from 100 on.
  static func short(_ number: Double) -> String {
    switch abs(number) {
    case 100...: grouped(Int(number.rounded()))
    case 10...: fixed(number, digits: 1)
    default: fixed(number, digits: 2)
    }
  }

  static func short(_ spread: Spread?) -> String {
    guard let spread else { return "–" }
    return "\(short(spread.median)) (\(short(spread.least))–\(short(spread.most)))"
  }

  static func fixed(_ number: Double, digits: Int) -> String {
    let scale = (0..<digits).reduce(1) { scale, _ in scale * 10 }
    let scaled = Int((number * Double(scale)).rounded())
    let fraction = String(abs(scaled) % scale)
    let zeros = String(repeating: "0", count: digits - fraction.count)
    return "\(scaled < 0 ? "-" : "")\(abs(scaled) / scale).\(zeros)\(fraction)"
  }

  /// 1234567 as 1,234,567.
  static func grouped(_ number: Int) -> String {
    if abs(number) < 1000 { return "\(number)" }
    let rest = String(abs(number) % 1000)
    let zeros = String(repeating: "0", count: 3 - rest.count)
    return "\(grouped(number / 1000)),\(zeros)\(rest)"
  }
}
