import Foundation

/// The time a run began, as the name of its journal carries it.
enum RunTime {
  /// UTC to the microsecond, sorting as text: `2026-01-31T12-00-00-123456Z`.
  static var now: String {
    let seconds = Date().timeIntervalSince1970
    let whole = Date(timeIntervalSince1970: seconds.rounded(.down))
    let fraction = Int((seconds - seconds.rounded(.down)) * 1_000_000)
    let digits = String(String(1_000_000 + fraction).dropFirst())
    return whole.formatted(.iso8601).replacing(":", with: "-").replacing("Z", with: "-\(digits)Z")
  }
}
