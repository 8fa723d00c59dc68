import Fleet

/// One execution of a plan as a machine: facts in, actions out.
///
/// Stages run in order until one fails or the operator interrupts. What a failure means depends on
/// the phase: in `prepare` everything this run did is taken back; in `switch` the batch in hand is
/// taken back and every host that was prepared but not yet switched is too, while hosts already
/// switched stay; in `retire`, where traffic has moved away already, nothing is taken back and the
/// host is named.
package struct RunMachine: Sendable {
  private let plan: Plan
  private var position = Position()
  private var executed: [ExecutedStage] = []
  private var undoQueue: [[[UndoOrder]]]?
  private var results: [MachineName: HostResult] = [:]
  private var interrupted = false

  package init(plan: Plan) {
    self.plan = plan
  }

  package enum Action: Sendable, Hashable {
    /// Run the lanes at once, each to its end or its first failure.
    case run(Stage, phase: Int)
    /// Take back, lanes at once; each lane to its end, whatever fails.
    case undo([[UndoOrder]])
    case finish(RunResult)
  }

  /// One step that ran, and how it ended.
  package struct Fact: Sendable, Hashable {
    package var step: Int
    package var outcome: StepOutcome

    package init(step: Int, outcome: StepOutcome) {
      self.step = step
      self.outcome = outcome
    }
  }

  /// The step whose `undo` is to be run.
  package struct UndoOrder: Sendable, Hashable {
    package var step: Step
  }

  /// What to do now. Ask again after every report.
  package mutating func next() -> Action {
    if let queue = undoQueue {
      if let lanes = queue.first { return .undo(lanes) }
      return .finish(result())
    }
    while position.phase < plan.phases.count {
      let phase = plan.phases[position.phase]
      if position.stage < phase.stages.count {
        if interrupted {
          startUndo(failures: [:])
          return next()
        }
        guard let stage = worthwhile(phase.stages[position.stage]) else {
          position.stage += 1
          continue
        }
        return .run(stage, phase: position.phase)
      }
      phaseFinished(phase)
    }
    return .finish(result())
  }

  /// The operator wants to stop: the stage in hand is finished, then this run is taken back.
  package mutating func interrupt() {
    interrupted = true
  }

  /// The stage of the last `.run` has ended. Steps that were not started have no fact.
  package mutating func stageFinished(_ facts: [Fact]) {
    let phase = plan.phases[position.phase]
    let steps = Dictionary(uniqueKeysWithValues: phase.steps.map { ($0.number, $0) })
    let outcomes = Dictionary(
      uniqueKeysWithValues: facts.map { fact in
        (fact.step, steps[fact.step].flatMap { bypass($0, fact.outcome) } ?? fact.outcome)
      }
    )
    executed.append(
      ExecutedStage(phase: position.phase, stage: phase.stages[position.stage], outcomes: outcomes)
    )
    position.stage += 1

    let failures = failuresByHost(in: phase, outcomes: outcomes)
    guard !failures.isEmpty else { return }
    switch phase.kind {
    case .prepare, .switch: startUndo(failures: failures)
    case .retire:
      for (host, failure) in failures { results[host] = .needsHands([failure]) }
      // What a stage waited for in vain, the next one must not do without.
      position.stage = phase.stages.count
    }
  }

  /// The lanes of the last `.undo` have ended; `failures` are those steps whose undo failed.
  ///
  /// A host whose traffic could not be moved back keeps its proxy: HAProxy may still send requests
  /// to it.
  package mutating func undoFinished(failures: [StepFailure]) {
    undoQueue?.removeFirst()
    let stuck = Set(failures.flatMap { $0.hosts.contains($0.machine) ? [] : $0.hosts })
    undoQueue = undoQueue?.map { lanes in
      lanes.map { lane in lane.filter { !stuck.contains($0.step.machine) } }
        .filter { !$0.isEmpty }
    }.filter { !$0.isEmpty }
    for failure in failures {
      for host in failure.hosts {
        results[host] = (results[host] ?? .undone(nil)).failing(with: failure)
      }
    }
  }
}

// MARK: -

extension RunMachine {
  private struct Position: Sendable {
    var phase = 0
    var stage = 0
  }

  private struct ExecutedStage: Sendable {
    var phase: Int
    var stage: Stage
    var outcomes: [Int: StepOutcome]

    /// The lanes that take it back: of each lane the steps that may have had an effect, last first.
    func undoing(for hosts: Set<MachineName>) -> [[UndoOrder]] {
      stage.lanes.map { lane in
        lane.reversed().filter { step in
          outcomes[step.number]?.mayHaveChangedSomething == true && !step.undo.isEmpty
            && !hosts.isDisjoint(with: step.hosts)
        }.map(UndoOrder.init(step:))
      }.filter { !$0.isEmpty }
    }
  }

  /// The stage without the steps that have nothing to see: traffic through a proxy to which HAProxy
  /// sends none. Nil where nothing is left.
  private func worthwhile(_ stage: Stage) -> Stage? {
    let busy = reports.flatMap { $0.busyServers ?? [] }
    let lanes = stage.lanes.map { lane in
      lane.filter { step in
        guard case .awaitTraffic(let servers) = step.act else { return true }
        return servers.contains(where: busy.contains)
      }
    }.filter { !$0.isEmpty }
    return lanes.isEmpty ? nil : Stage(lanes: lanes)
  }

  /// The failure of a step that saw nothing come through a proxy while HAProxy sent it requests, and
  /// nothing since the step that looked at it before; nil for every other outcome.
  private func bypass(_ step: Step, _ outcome: StepOutcome) -> StepOutcome? {
    guard case .done(let report) = outcome, case .awaitTraffic = step.act,
      report.remark == .noTrafficSeen
    else { return nil }
    let looks = executed.filter { $0.phase == position.phase }.flatMap { stage in
      stage.stage.lanes.flatMap(\.self).filter { $0.machine == step.machine }
        .compactMap { stage.outcomes[$0.number]?.report?.relayedBytes }
    }
    // A proxy that was restarted in this phase has not been looked at: it began with none.
    guard (looks.first ?? 0) == report.relayedBytes else { return nil }
    return .failed(step.failure(.trafficGoesPast, ""))
  }

  /// What the steps of the phase in hand have told so far.
  private var reports: [StepReport] {
    executed.filter { $0.phase == position.phase }.flatMap(\.outcomes.values).compactMap(\.report)
  }

  private mutating func phaseFinished(_ phase: Phase) {
    // A host is done when its last phase is; a later phase that fails for it overwrites this.
    if phase.kind != .prepare || !plan.phases.contains(where: { $0.kind == .switch }) {
      for host in phase.hosts where results[host] == nil { results[host] = .done }
    }
    position.phase += 1
    position.stage = 0
  }

  private func failuresByHost(
    in phase: Phase,
    outcomes: [Int: StepOutcome]
  ) -> [MachineName: StepFailure] {
    var failures: [MachineName: StepFailure] = [:]
    for case .failed(let failure) in phase.steps.compactMap({ outcomes[$0.number] }) {
      for host in failure.hosts where failures[host] == nil { failures[host] = failure }
    }
    return failures
  }

  /// Queues what must be taken back, newest stage first, and notes the result of every host.
  private mutating func startUndo(failures: [MachineName: StepFailure]) {
    guard position.phase < plan.phases.count else {
      undoQueue = []
      return
    }
    let current = position.phase
    let isPreparing = plan.phases[current].kind == .prepare
    let switched = Set(
      plan.phases[..<current].filter { $0.kind == .switch }.flatMap(\.hosts)
    )
    let affected = Set(plan.phases.flatMap(\.hosts)).subtracting(switched)
    let inHand = Set(isPreparing ? plan.phases.flatMap(\.hosts) : plan.phases[current].hosts)

    for host in affected {
      if let failure = failures[host] {
        results[host] = .undone(failure)
      } else {
        results[host] = inHand.contains(host) ? .undone(nil) : .notReached
      }
    }
    // Their traffic has moved, but what follows when all have moved has not been done.
    for host in switched where plan.phases[current...].contains(where: { $0.isRetiring(host) }) {
      results[host] = .unfinished
    }
    undoQueue = executed.reversed().filter {
      $0.phase == current || plan.phases[$0.phase].kind == .prepare
    }.map { $0.undoing(for: affected) }.filter { !$0.isEmpty }
  }

  private func result() -> RunResult {
    RunResult(
      hosts: plan.hosts.map { .init(host: $0, result: results[$0] ?? .done) },
      interrupted: interrupted && undoQueue != nil
    )
  }
}

extension Phase {
  fileprivate func isRetiring(_ host: MachineName) -> Bool {
    kind == .retire && hosts.contains(host)
  }
}
