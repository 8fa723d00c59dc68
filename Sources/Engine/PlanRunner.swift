// Engine: surveys a fleet and runs plans. It decides nothing that can be decided from values: what
// comes next is the run machine's word, what an answer means is the act's. No flag, no inventory
// file and no output format is known here.

import Fleet
import Remote
package import Rollout
import Synchronization

/// Executes one plan.
package struct PlanRunner: Sendable {
  private let plan: Plan
  private let machines: Machines
  private let journal: any Journal
  private let interruption: Interruption
  private let report: @Sendable (RunEvent) -> Void
  private let clock = ContinuousClock()

  /// - Parameters:
  ///   - machines: where the plan's machines are spoken to.
  ///   - report: told of everything as it happens, from several tasks at once.
  package init(
    plan: Plan,
    machines: Machines,
    journal: any Journal,
    interruption: Interruption,
    report: @escaping @Sendable (RunEvent) -> Void
  ) {
    self.plan = plan
    self.machines = machines
    self.journal = journal
    self.interruption = interruption
    self.report = report
  }

  /// Runs the plan to its end, or takes it back.
  ///
  /// - Throws: only where the journal cannot be written before anything was done. Later failures to
  ///   write it count as an interruption: nothing more is begun that is not on disk.
  package func run() async throws -> RunResult {
    var machine = RunMachine(plan: plan)
    try await journal.append(.planned(wish: plan.wish, steps: plan.recorded), durably: true)
    while true {
      if interruption.isRequested { machine.interrupt() }
      switch machine.next() {
      case .run(let stage, let phase):
        report(.stageStarted(plan.phases[phase], stage))
        machine.stageFinished(await run(stage))
      case .undo(let lanes):
        report(.undoStarted(lanes))
        machine.undoFinished(failures: await undo(lanes))
      case .finish(let result):
        if result.interrupted { await note(.interrupted) }
        await note(.ended(result), durably: true)
        return result
      }
    }
  }
}

extension PlanRunner {
  private func run(_ stage: Stage) async -> [RunMachine.Fact] {
    await withTaskGroup(of: [RunMachine.Fact].self) { group in
      for lane in stage.lanes {
        group.addTask { await run(lane) }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func run(_ lane: [Step]) async -> [RunMachine.Fact] {
    var facts: [RunMachine.Fact] = []
    for step in lane {
      let outcome = await run(step)
      facts.append(.init(step: step.number, outcome: outcome))
      if case .failed = outcome { break }
    }
    return facts
  }

  private func run(_ step: Step) async -> StepOutcome {
    guard await note(.stepStarted(step: step.number)) else {
      return .failed(step.failure(.unexpectedAnswer, "the journal cannot be written", .none))
    }
    report(.stepStarted(step))
    let start = clock.now
    let outcome = await answer(to: step.command, of: step, act: step.act)
    let duration = clock.now - start
    report(.stepFinished(step, outcome, duration))
    await note(
      .stepFinished(step: step.number, outcome: outcome, milliseconds: duration.milliseconds)
    )
    return outcome
  }

  private func undo(_ lanes: [[RunMachine.UndoOrder]]) async -> [StepFailure] {
    await withTaskGroup(of: [StepFailure].self) { group in
      for lane in lanes {
        group.addTask {
          var failures: [StepFailure] = []
          for order in lane {
            if let failure = await undo(order.step) { failures.append(failure) }
          }
          return failures
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
  }

  private func undo(_ step: Step) async -> StepFailure? {
    await note(.undoStarted(step: step.number))
    let start = clock.now
    var failure: StepFailure?
    for undo in step.undo where failure == nil {
      report(.undoStepStarted(step, undo.act))
      if case .failed(let seen) = await answer(to: undo.command, of: step, act: undo.act) {
        failure = seen
      }
    }
    let duration = clock.now - start
    report(.undoStepFinished(step, failure, duration))
    await note(
      .undoFinished(step: step.number, failure: failure, milliseconds: duration.milliseconds)
    )
    return failure
  }

  private func answer(to command: RemoteCommand, of step: Step, act: Act) async -> StepOutcome {
    do throws(RemoteError) {
      return act.reading(try await machines.run(command, on: step.machine), of: step)
    } catch {
      let reason: StepFailure.Reason = error.code == .timedOut ? .timedOut : .unreachable
      return .failed(step.failure(reason, error.detail))
    }
  }

  /// Writes to the journal; false where that failed, which also stops the run.
  @discardableResult
  private func note(_ record: JournalRecord, durably: Bool = false) async -> Bool {
    do {
      try await journal.append(record, durably: durably)
      return true
    } catch {
      report(.journalFailed(String(describing: error)))
      interruption.request()
      return false
    }
  }
}

/// The operator's wish to stop, from a signal or a failure outside the plan.
package final class Interruption: Sendable {
  private let requested = Atomic(false)

  package init() {}

  package var isRequested: Bool { requested.load(ordering: .acquiring) }

  package func request() {
    requested.store(true, ordering: .releasing)
  }
}

/// What happens while a plan runs.
package enum RunEvent: Sendable {
  case stageStarted(Phase, Stage)
  case stepStarted(Step)
  case stepFinished(Step, StepOutcome, Duration)
  case undoStarted([[RunMachine.UndoOrder]])
  case undoStepStarted(Step, Act)
  case undoStepFinished(Step, StepFailure?, Duration)
  case journalFailed(String)
}

extension Duration {
  /// Whole milliseconds, rounded down.
  package var milliseconds: Int {
    Int(components.seconds) * 1000 + Int(components.attoseconds / 1_000_000_000_000_000)
  }
}
