package import Remote

/// What became of the acts of one script.
package enum MonitResult: Sendable, Hashable {
  /// All were done and proven. `process`: the service's, where the last of start and stop was start.
  case done(process: Int32?)
  /// One failed, and none after it was begun. `said`: monit's own last words.
  case failed(MonitFailure, said: String)
  /// The script ended in a way it does not know: a signal, a shell that is none.
  case unexpected(CommandResult)

  /// Reads what the script of `MonitService.command` answered.
  package init(_ result: CommandResult) {
    guard case .exited(let status) = result.termination else {
      self = .unexpected(result)
      return
    }
    if status == 0 {
      self = .done(process: Self.runningProcess(in: result.text))
    } else if let failure = MonitFailure(rawValue: status) {
      self = .failed(failure, said: result.errorText.trimmed)
    } else {
      self = .unexpected(result)
    }
  }

  private static func runningProcess(in output: String) -> Int32? {
    let last = output.split(separator: "\n").last {
      $0 == "stopped" || $0.hasPrefix("running ")
    }
    return last.flatMap { Int32($0.dropFirst("running ".count)) }
  }
}

/// Why an act failed: the exit statuses of this room's scripts.
package enum MonitFailure: Int32, Error, Sendable, Hashable, CaseIterable {
  case notInstalled = 40
  case daemonNotRunning = 41
  /// monit's configuration has no `set httpd` with an `allow`, so that nothing can be ordered.
  case interfaceOff = 42
  /// `monit -t` refuses the configuration; monit was not asked to reload it.
  case configurationInvalid = 43
  /// monit refused for a reason of its own.
  case refused = 44
  /// monit answers but has no such service, which did not change while it was asked again.
  case serviceUnknown = 45
  case deadlinePassed = 46
}
