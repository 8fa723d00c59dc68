package import Remote

/// How a command to HAProxy ended, told by its script's exit status.
package enum HAProxyResult: Sendable, Hashable {
  case done
  case failed(HAProxyFailure, said: String)
  case unexpected(CommandResult)

  package init(_ result: CommandResult) {
    guard case .exited(let status) = result.termination else {
      self = .unexpected(result)
      return
    }
    if status == 0 {
      self = .done
    } else if let failure = HAProxyFailure(rawValue: status) {
      self = .failed(failure, said: result.errorText.trimmingBlanks)
    } else {
      self = .unexpected(result)
    }
  }
}

/// Exit statuses of the scripts. The first four mean that nothing was changed.
package enum HAProxyFailure: Int32, Sendable, Hashable, Codable, CaseIterable {
  /// The file is not the one that the edit was made from.
  case fileChanged = 60
  /// The new content does not pass `haproxy -c`.
  case invalidConfiguration = 61
  /// What the edit produced is not what was planned.
  case wrongResult = 62
  case cannotWrite = 63
  /// Sessions were left on a drained server at the deadline.
  case sessionsLeft = 64
  /// The stats socket refused an order; the file may have been changed.
  case runtimeRefused = 65
  /// A server was not up, or an order had no effect, at the deadline.
  case notReady = 66
  case noSuchServer = 67
  case reloadFailed = 68
  case oldWorkersLeft = 69
  /// A port did not accept a connection.
  case notReachable = 70
}

extension String {
  var trimmingBlanks: String {
    var text = self[...]
    while let last = text.last, last.isWhitespace { text.removeLast() }
    while let first = text.first, first.isWhitespace { text.removeFirst() }
    return String(text)
  }
}
