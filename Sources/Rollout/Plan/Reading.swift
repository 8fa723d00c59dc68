package import HAProxy
import Monit
package import Remote

extension Act {
  /// What a machine's answer to the act's command means.
  package func reading(_ result: CommandResult, of step: Step) -> StepOutcome {
    switch self {
    case .uploadExecutable, .removeExecutable, .installFiles, .restoreFiles,
      .checkConfiguration, .upgradeProxy, .reloadProxy, .awaitHealth,
      .lookAgain, .awaitTraffic, .awaitIdle:
      hostReading(result, of: step)
    case .reloadMonit, .startProxy, .restartProxy, .stopProxy:
      monitReading(MonitResult(result), of: step)
    case .readServers(let expectations):
      serversReading(result, of: step, expectations) { _ in StepReport() }
    case .watchRequests(let expectations):
      serversReading(result, of: step, expectations) { result in
        let busy = ServerState.busyServers(result)
        return StepReport(remark: busy.isEmpty ? .noTrafficSeen : nil, busyServers: busy)
      }
    case .validateEdits, .probe, .drain, .undrain, .remove, .rewrite, .add, .reload,
      .awaitOldWorkers:
      haproxyReading(HAProxyResult(result), of: step)
    }
  }

  /// Whom the act waits for, where waiting is most of it.
  package var waitsFor: Waiting? {
    switch self {
    case .uploadExecutable: .network
    case .reloadMonit, .startProxy, .restartProxy, .stopProxy: .monit
    case .upgradeProxy, .reloadProxy, .awaitHealth, .lookAgain, .awaitTraffic, .awaitIdle: .proxy
    case .validateEdits, .probe, .drain, .undrain, .remove, .rewrite, .add, .reload,
      .awaitOldWorkers, .readServers, .watchRequests:
      .haproxy
    case .removeExecutable, .installFiles, .restoreFiles, .checkConfiguration: nil
    }
  }

  private func hostReading(_ result: CommandResult, of step: Step) -> StepOutcome {
    let ending: HostCommands.Ending? =
      if case .exited(let status) = result.termination {
        HostCommands.Ending(rawValue: status)
      } else {
        nil
      }
    switch (self, ending) {
    case (.awaitTraffic, .done):
      return .done(StepReport(remark: .trafficSeen, relayedBytes: result.number))
    // Whether that is a failure depends on what was counted before: the run machine decides.
    case (.awaitTraffic, .deadline):
      return .done(StepReport(remark: .noTrafficSeen, relayedBytes: result.number))
    case (.lookAgain, .done): return .done(StepReport(relayedBytes: result.number))
    case (_, .done): return .done(StepReport())
    case (_, .damaged): return .failed(step.failure(.transferDamaged, result.seen))
    case (.awaitIdle, .deadline): return .failed(step.failure(.sessionsLeft, result.seen, .none))
    case (.checkConfiguration, _):
      return .failed(step.failure(.invalidConfiguration, result.seen, .none))
    case (.awaitHealth, _): return .failed(step.failure(.neverHealthy, result.seen))
    case (.lookAgain, _): return .failed(step.failure(.neverHealthy, result.seen, .none))
    case (_, .deadline): return .failed(step.failure(.timedOut, result.seen))
    case (_, nil): return .failed(step.failure(.refused, result.seen))
    }
  }

  private func monitReading(_ result: MonitResult, of step: Step) -> StepOutcome {
    switch result {
    case .done: return .done(StepReport())
    case .failed(let failure, let said):
      let reason: StepFailure.Reason =
        switch (failure, self) {
        case (.deadlinePassed, .stopProxy): .stillRunning
        case (.deadlinePassed, _): .notRunning
        case (.configurationInvalid, _): .invalidConfiguration
        case (.daemonNotRunning, _): .monitNotRunning
        default: .refused
        }
      return .failed(step.failure(reason, said))
    case .unexpected(let result): return .failed(step.failure(.unexpectedAnswer, result.seen))
    }
  }

  private func haproxyReading(_ result: HAProxyResult, of step: Step) -> StepOutcome {
    switch result {
    case .done: return .done(StepReport())
    case .failed(let failure, let said):
      let (reason, effect) = failure.meaning
      return .failed(step.failure(reason, said, effect))
    case .unexpected(let result): return .failed(step.failure(.unexpectedAnswer, result.seen))
    }
  }

  /// Before a batch: another server must be there to carry the traffic. After it: each server of
  /// the batch must be in service, and be so at the port that was wished.
  private func serversReading(
    _ result: CommandResult,
    of step: Step,
    _ expectations: [ServerExpectation],
    report: (CommandResult) -> StepReport
  ) -> StepOutcome {
    guard let servers = ServerState.reading(result) else {
      return .failed(step.failure(.unexpectedAnswer, result.seen, .none))
    }
    for expectation in expectations {
      if let problem = expectation.problem(with: servers) {
        return .failed(step.failure(.stateDiffers, problem, expectation.effect))
      }
    }
    return .done(report(result))
  }
}

extension CommandResult {
  /// The number that was printed last.
  fileprivate var number: Int? {
    text.split(whereSeparator: \.isWhitespace).last.flatMap { Int($0) }
  }
}

extension HAProxyFailure {
  /// In a run's words, and whether anything may have been changed.
  fileprivate var meaning: (StepFailure.Reason, StepFailure.Effect) {
    switch self {
    case .fileChanged: (.fileChangedByOthers, .none)
    case .invalidConfiguration: (.invalidConfiguration, .none)
    case .wrongResult: (.fileChangedByOthers, .none)
    case .cannotWrite: (.refused, .none)
    case .sessionsLeft: (.sessionsLeft, .possible)
    case .runtimeRefused: (.refused, .possible)
    case .notReady: (.stateDiffers, .possible)
    case .noSuchServer: (.stateDiffers, .possible)
    case .reloadFailed: (.refused, .possible)
    case .oldWorkersLeft: (.oldWorkersLeft, .none)
    case .notReachable: (.notReachableFromBalancer, .none)
    }
  }
}

/// What a reading of a balancer's servers must show.
package enum ServerExpectation: Sendable, Hashable, Codable {
  /// A server outside `servers` that takes requests for the backend.
  case anotherUp(backend: String, besides: [ServerID])
  case inService(ServerID, port: Int?)
  case outOfService(ServerID)

  /// What is not as expected, in the words of `show servers state`; nil where all is.
  func problem(with servers: [ServerState]) -> String? {
    switch self {
    case .anotherUp(let backend, let besides):
      let others = servers.filter { $0.id.backend == backend && !besides.contains($0.id) }
      guard !others.contains(where: \.takesRequests) else { return nil }
      let states = others.map { "\($0.id) \($0.status)" }.joined(separator: ", ")
      return "no other server of \(backend) is up (\(states.isEmpty ? "there is none" : states))"
    case .inService(let id, let port):
      guard let server = servers.first(where: { $0.id == id }) else { return "\(id) is gone" }
      if let port, server.port != port { return "\(id) is at port \(server.port), not \(port)" }
      return server.takesRequests ? nil : "\(id) is \(server.status)"
    case .outOfService(let id):
      guard let server = servers.first(where: { $0.id == id }) else { return nil }
      return server.isReady ? "\(id) is still \(server.status)" : nil
    }
  }

  fileprivate var effect: StepFailure.Effect {
    if case .anotherUp = self { .none } else { .possible }
  }
}

extension Step {
  /// A failure of this step.
  package func failure(
    _ reason: StepFailure.Reason,
    _ seen: String,
    _ effect: StepFailure.Effect = .possible
  ) -> StepFailure {
    StepFailure(
      machine: machine,
      hosts: hosts,
      act: act,
      reason: reason,
      seen: seen,
      effect: effect
    )
  }
}

extension CommandResult {
  /// The last lines of what the command complained of, or of what it said.
  package var seen: String {
    let text = errorText.isEmpty ? self.text : errorText
    let lines = text.split(separator: "\n").suffix(4).joined(separator: "\n")
    switch termination {
    case .exited(let status): return lines.isEmpty ? "exit status \(status)" : lines
    case .signalled(let name): return lines + "(ended by signal \(name))"
    }
  }
}
