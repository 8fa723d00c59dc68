package import Fleet
package import HAProxy

/// How a run ended, host by host, in the plan's order.
package struct RunResult: Sendable, Hashable, Codable {
  package var hosts: [Entry]
  package var interrupted: Bool

  package init(hosts: [Entry], interrupted: Bool) {
    self.hosts = hosts
    self.interrupted = interrupted
  }

  package struct Entry: Sendable, Hashable, Codable {
    package var host: MachineName
    package var result: HostResult

    package init(host: MachineName, result: HostResult) {
      self.host = host
      self.result = result
    }
  }

  package var succeeded: Bool { !interrupted && hosts.allSatisfy { $0.result == .done } }

  /// Machines that a person must look after.
  package var needsHands: Bool {
    hosts.contains {
      if case .needsHands = $0.result { true } else { false }
    }
  }
}

/// How a run ended for one host.
package enum HostResult: Sendable, Hashable, Codable {
  /// As wished.
  case done
  /// Put back as it was: because of this failure, or because another host's stopped the run.
  case undone(StepFailure?)
  /// Not as wished and not as it was.
  case needsHands([StepFailure])
  /// The run stopped before its turn; it is as it was.
  case notReached
  /// Its traffic goes where it should, but its proxy still runs: the run stopped before it was
  /// stopped. Running it again finishes it.
  case unfinished

  func failing(with failure: StepFailure) -> HostResult {
    switch self {
    case .undone(let cause?): .needsHands([cause, failure])
    case .needsHands(let failures): .needsHands(failures + [failure])
    case .undone(nil), .done, .notReached, .unfinished: .needsHands([failure])
    }
  }
}

/// How a step ended.
package enum StepOutcome: Sendable, Hashable, Codable {
  /// Done, and its effect seen.
  case done(StepReport)
  /// Looked first: it was so already.
  case alreadySo
  case failed(StepFailure)

  package var report: StepReport? {
    if case .done(let report) = self { report } else { nil }
  }

  package var mayHaveChangedSomething: Bool {
    switch self {
    case .done, .alreadySo: true
    case .failed(let failure): failure.effect == .possible
    }
  }
}

/// What a step that was done has to tell.
package struct StepReport: Sendable, Hashable, Codable {
  /// What the step was waiting for, where waiting is most of it.
  package var waitedFor: Waiting?
  /// A remark for the operator; nil where there is none.
  package var remark: Remark?
  /// Bytes that the proxy has relayed so far, both ways.
  package var relayedBytes: Int?
  /// Servers that HAProxy sent requests to while it was watched.
  package var busyServers: [ServerID]?

  package init(
    waitedFor: Waiting? = nil,
    remark: Remark? = nil,
    relayedBytes: Int? = nil,
    busyServers: [ServerID]? = nil
  ) {
    self.waitedFor = waitedFor
    self.remark = remark
    self.relayedBytes = relayedBytes
    self.busyServers = busyServers
  }

  package enum Remark: Sendable, Hashable, Codable {
    /// No request came while the proxy's counters were watched.
    case noTrafficSeen
    /// Bytes went through the proxy after the switch.
    case trafficSeen
  }
}

/// Whom a step waits for.
package enum Waiting: String, Sendable, Hashable, Codable, CaseIterable {
  case haproxy = "HAProxy"
  case monit
  case proxy
  case network
}

/// A step that did not do what it should: which, on whose behalf, what was seen.
package struct StepFailure: Error, Sendable, Hashable, Codable {
  package var machine: MachineName
  package var hosts: [MachineName]
  package var act: Act
  package var reason: Reason
  /// The words of the program that refused: the last lines of what it said.
  package var seen: String
  package var effect: Effect

  package init(
    machine: MachineName,
    hosts: [MachineName],
    act: Act,
    reason: Reason,
    seen: String,
    effect: Effect = .possible
  ) {
    self.machine = machine
    self.hosts = hosts
    self.act = act
    self.reason = reason
    self.seen = seen
    self.effect = effect
  }

  /// Whether the machine may have been changed.
  package enum Effect: String, Sendable, Hashable, Codable {
    case none
    case possible
  }

  package enum Reason: String, Sendable, Hashable, Codable {
    /// The command exited with a status that says no more than that.
    case refused
    case timedOut
    /// The machine could not be reached, or was lost on the way.
    case unreachable
    case fileChangedByOthers
    case invalidConfiguration
    case transferDamaged
    case neverHealthy
    case notRunning
    case monitNotRunning
    case stillRunning
    case sessionsLeft
    case notReachableFromBalancer
    /// HAProxy sent requests to the server, and none came through the proxy.
    case trafficGoesPast
    case stateDiffers
    case oldWorkersLeft
    case unexpectedAnswer
  }
}
