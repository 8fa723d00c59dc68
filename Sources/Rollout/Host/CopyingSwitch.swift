package import Fleet
package import Remote

/// Switching off and on what a running proxy copies, and asking how it is: through its admin endpoint, without
/// touching HAProxy or any connection of a client.
package enum CopyingSwitch {
  package enum Order: String, Sendable, Hashable, Codable {
    case off
    case on
    /// Only looks.
    case status
  }

  /// How the script ends, told by its exit status; the first three are the proxy's own.
  private enum Ending: Int32 {
    case done = 0
    case refused = 1
    case silent = 2
    /// The proxy does not know the order (64: wrong usage).
    case tooOld = 64
    case notRunning = 20
  }

  /// How long the proxy may take to answer: a loop that serves thousands of connections does in milliseconds.
  private static let patience = 5

  /// Gives the order. It may be given again.
  package static func command(_ order: Order, on host: Host) -> RemoteCommand {
    let paths = HostPaths(host.proxy)
    return RemoteCommand(
      """
      proxy=\(ShellWord.quoting(paths.link))
      [ -x "$proxy" ] || exit \(Ending.notRunning.rawValue)
      "$proxy" shadow \(order.rawValue) --admin 127.0.0.1:\(host.proxy.adminPort) \
      --timeout \(patience)
      status=$?
      [ $status = \(Ending.silent.rawValue) ] || exit $status
      pid=$(cat \(ShellWord.quoting(paths.pidFile)) 2>/dev/null) && [ -d "/proc/$pid" ] && exit $status
      exit \(Ending.notRunning.rawValue)
      """,
      privilege: .login,
      timeout: host.timeouts.command
    )
  }

  /// What the script's answer means.
  package static func reading(_ result: CommandResult) -> CopyingAnswer {
    guard case .exited(let status) = result.termination, let ending = Ending(rawValue: status)
    else { return .unexpected(result.seen) }
    switch ending {
    case .done: return CopyingState(result.text).map { .state($0) } ?? .unexpected(result.seen)
    case .refused: return .refused(result.seen)
    case .silent: return .silent(result.seen)
    case .tooOld: return .tooOld
    case .notRunning: return .notRunning
    }
  }
}

/// What a host answered to an order.
package enum CopyingAnswer: Sendable, Hashable {
  case state(CopyingState)
  /// No proxy runs there, so nothing is copied.
  case notRunning
  /// A proxy runs, and its admin endpoint says nothing.
  case silent(String)
  /// The proxy has no such switch.
  case tooOld
  /// The admin endpoint said no, in these words.
  case refused(String)
  case unexpected(String)
  case unreachable(RemoteError)

  /// Whether what was ordered is so now.
  package func fulfils(_ order: CopyingSwitch.Order) -> Bool {
    switch (order, self) {
    case (.off, .state(let state)): !state.isOn
    case (.on, .state(let state)): state.isOn
    case (.status, .state), (.off, .notRunning), (.status, .notRunning): true
    default: false
    }
  }
}

/// Whether a proxy copies, and how its shadows are.
package struct CopyingState: Sendable, Hashable, Codable {
  package var isOn: Bool
  /// Since when, in UTC: `2026-11-25T13:04:08Z`.
  package var since: String
  package var shadows: [Shadow]

  package init(isOn: Bool, since: String, shadows: [Shadow]) {
    self.isOn = isOn
    self.since = since
    self.shadows = shadows
  }

  /// One shadow of one of the proxy's routes.
  package struct Shadow: Sendable, Hashable, Codable {
    /// The proxy's listening address, and the shadow's.
    package var route: String
    package var shadow: String
    /// `closed`, `half-open` or `open`; `off` where there is none.
    package var breaker: String
    /// Copies that are under way.
    package var open: Int

    package init(route: String, shadow: String, breaker: String, open: Int) {
      self.route = route
      self.shadow = shadow
      self.breaker = breaker
      self.open = open
    }

    /// Reads `route A shadow B breaker STATE open N`.
    fileprivate init?(_ line: Substring) {
      let words = line.split(separator: " ")
      guard words.count == 8, words[0] == "route", words[2] == "shadow", words[4] == "breaker",
        words[6] == "open", let open = Int(words[7])
      else { return nil }
      self.init(
        route: String(words[1]),
        shadow: String(words[3]),
        breaker: String(words[5]),
        open: open
      )
    }
  }

  /// Reads what the admin endpoint says: `copying on since TIME`, then a line for each shadow.
  fileprivate init?(_ text: String) {
    let lines = text.split(separator: "\n")
    let words = lines.first?.split(separator: " ") ?? []
    guard words.count == 4, words[0] == "copying", words[1] == "on" || words[1] == "off",
      words[2] == "since"
    else { return nil }
    let shadows = lines.dropFirst().map { Shadow($0) }
    guard !shadows.contains(nil) else { return nil }
    self.init(
      isOn: words[1] == "on",
      since: String(words[3]),
      shadows: shadows.compactMap { $0 }
    )
  }
}
