import Foundation

/// When a run began, and who began it.
enum RunTime {
  /// UTC to the microsecond: `2026-01-31T12:00:00.123456Z`.
  static var now: String {
    let seconds = Date().timeIntervalSince1970
    let whole = Date(timeIntervalSince1970: seconds.rounded(.down))
    let fraction = Int((seconds - seconds.rounded(.down)) * 1_000_000)
    let digits = String(String(1_000_000 + fraction).dropFirst())
    return whole.formatted(.iso8601).replacing("Z", with: ".\(digits)Z")
  }

  /// The same as a part of a file's name, sorting as text: `2026-01-31T12-00-00-123456Z`.
  static var forFileName: String { now.replacing(":", with: "-").replacing(".", with: "-") }

  /// `alice@laptop`.
  static func operatorName(environment: [String: String]) -> String {
    var name = [CChar](repeating: 0, count: 256)
    let host = gethostname(&name, name.count - 1) == 0
    let text = String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    return "\(environment["SUDO_USER"] ?? environment["USER"] ?? "uid \(getuid())")"
      + "@\(host ? text : "?")"
  }
}
