/// What monit says about one service.
package struct MonitStatus: Sendable, Hashable, Codable {
  package var state: State
  /// What monit was told and has not finished: "start", "stop", "restart".
  package var pending: String?
  /// The process monit watches, where it says so.
  package var process: Int32?

  package init(_ state: State, pending: String? = nil, process: Int32? = nil) {
    self.state = state
    self.pending = pending
    self.process = process
  }

  package enum State: Sendable, Hashable, Codable {
    /// monit's configuration names no such service.
    case unknown
    case notMonitored
    /// Watched, and not looked at yet since the last start or reload.
    case initializing
    case ok
    /// Anything else, in monit's words: "Does not exist", "Connection failed", several joined by " | ".
    case failed(String)
  }

  /// Reads what `monit status NAME -B` prints, of version 5.26 or later; nil if it is nothing of the
  /// kind, as when monit could not be asked.
  ///
  /// - Parameter service: the service that was asked for.
  package init?(parsing text: String, of service: String) {
    if text.trimmed == "Service '\(service)' not found" {
      self.init(.unknown)
      return
    }
    let lines = text.split(whereSeparator: \.isNewline)
    guard lines.contains(where: { $0.hasSuffix(" '\(service)'") && !$0.hasPrefix(" ") }),
      let words = Self.value(of: "status", in: lines)
    else { return nil }
    let (said, pending) = Self.splittingPending(words)
    self.init(
      State(said),
      pending: pending,
      process: Self.value(of: "pid", in: lines).flatMap { Int32($0) }
    )
  }

  private static func value(of name: String, in lines: [Substring]) -> String? {
    // Two blanks or more part name and value: "status" is not "monitoring status", "pid" not "pid file".
    lines.lazy.compactMap { $0.after("  \(name)  ")?.trimmed }.first
  }

  private static func splittingPending(_ words: String) -> (said: String, pending: String?) {
    guard
      let order = ["start", "stop", "restart"].first(where: { words.hasSuffix(" - \($0) pending") })
    else { return (words, nil) }
    return (String(words.dropLast(" - \(order) pending".count)), order)
  }
}

extension MonitStatus.State {
  fileprivate init(_ words: String) {
    switch words {
    case "OK": self = .ok
    case "Not monitored": self = .notMonitored
    case "Initializing": self = .initializing
    default: self = .failed(words)
    }
  }
}
