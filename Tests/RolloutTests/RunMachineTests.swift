import Fleet
import Remote
import Rollout
import Testing

struct RunMachineTests {
  /// Two hosts, prepared together, switched one after the other, retired together:
  /// 1, 2 prepare; 3, 4 switch app1; 5, 6 switch app2; 7, 8 retire.
  private let plan = Plan(
    wish: .enabled,
    phases: [
      Phase(
        .prepare,
        hosts: ["app1", "app2"],
        stages: [Stage(lanes: [[step(1, "app1", "app1")], [step(2, "app2", "app2")]])]
      ),
      Phase(
        .switch,
        hosts: ["app1"],
        stages: [
          Stage(lanes: [[step(3, "lb1", "app1")]]), Stage(lanes: [[step(4, "lb1", "app1")]]),
        ]
      ),
      Phase(
        .switch,
        hosts: ["app2"],
        stages: [
          Stage(lanes: [[step(5, "lb1", "app2")]]), Stage(lanes: [[step(6, "lb1", "app2")]]),
        ]
      ),
      Phase(
        .retire,
        hosts: ["app1", "app2"],
        stages: [Stage(lanes: [[step(7, "app1", "app1")], [step(8, "app2", "app2")]])]
      ),
    ]
  )

  @Test func `a plan in which all goes well runs stage after stage`() {
    let run = Run(of: plan)

    #expect(run.told == ["run 1 2", "run 3", "run 4", "run 5", "run 6", "run 7 8"])
    #expect(run.result == result([("app1", .done), ("app2", .done)]))
    #expect(run.result.succeeded)
  }

  @Test func `an empty plan ends at once`() {
    let run = Run(of: Plan(wish: .enabled, phases: []))

    #expect(run.told == [])
    #expect(run.result == result([]))
  }

  @Test func `a failure before any traffic moved takes everything back`() {
    let run = Run(of: plan, failing: [2])

    #expect(run.told == ["run 1 2", "undo 1 | 2"])
    #expect(
      run.result
        == result([("app1", .undone(nil)), ("app2", .undone(failure(2, "app2", "app2")))])
    )
    #expect(!run.result.succeeded)
    #expect(!run.result.needsHands)
  }

  @Test func `a step that changed nothing is not taken back`() {
    let run = Run(of: plan, failing: [2], effect: .none)

    #expect(run.told == ["run 1 2", "undo 1"])
  }

  @Test func `what was found to be so already is taken back like what was done`() {
    let run = Run(of: plan, failing: [2], others: .alreadySo)

    #expect(run.told == ["run 1 2", "undo 1 | 2"])
  }

  @Test func `a failure while the first batch moves takes back the batch and all preparations`() {
    let run = Run(of: plan, failing: [4])

    #expect(run.told == ["run 1 2", "run 3", "run 4", "undo 4", "undo 3", "undo 1 | 2"])
    #expect(
      run.result
        == result([("app1", .undone(failure(4, "lb1", "app1"))), ("app2", .notReached)])
    )
  }

  @Test func `a failure in a later batch leaves alone what was switched before`() {
    let run = Run(of: plan, failing: [5])

    #expect(run.told == ["run 1 2", "run 3", "run 4", "run 5", "undo 5", "undo 2"])
    #expect(
      run.result == result([("app1", .unfinished), ("app2", .undone(failure(5, "lb1", "app2")))])
    )
  }

  @Test func `a lane is taken back from its last step that began`() {
    let lane = [step(1, "app1", "app1"), step(2, "app1", "app1"), step(3, "app1", "app1")]
    let plan = Plan(
      wish: .enabled,
      phases: [Phase(.prepare, hosts: ["app1"], stages: [Stage(lanes: [lane])])]
    )

    let run = Run(of: plan, failing: [2])

    #expect(run.told == ["run 1 2 3", "undo 2 1"])
  }

  @Test func `an undo that fails leaves the host, and its proxy, to a person; others go on`() {
    let run = Run(of: plan, failing: [4], undoFailing: [3])

    // Traffic may still go to app1: what was prepared there stays.
    #expect(run.told == ["run 1 2", "run 3", "run 4", "undo 4", "undo 3", "undo 2"])
    #expect(
      run.result
        == result([
          ("app1", .needsHands([failure(4, "lb1", "app1"), failure(3, "lb1", "app1")])),
          ("app2", .notReached),
        ])
    )
    #expect(run.result.needsHands)
  }

  @Test func `an undo that fails for a host without a failure of its own is named as well`() {
    let run = Run(of: plan, failing: [2], undoFailing: [1])

    #expect(
      run.result
        == result([
          ("app1", .needsHands([failure(1, "app1", "app1")])),
          ("app2", .undone(failure(2, "app2", "app2"))),
        ])
    )
  }

  @Test func `a failure after the traffic moved away takes nothing back and names the host`() {
    let run = Run(of: plan, failing: [7])

    #expect(run.told == ["run 1 2", "run 3", "run 4", "run 5", "run 6", "run 7 8"])
    #expect(
      run.result
        == result([("app1", .needsHands([failure(7, "app1", "app1")])), ("app2", .done)])
    )
  }

  @Test func `an interruption before anything began leaves all as it was`() {
    let run = Run(of: plan, interruptedAfter: 0)

    #expect(run.told == [])
    #expect(
      run.result == result([("app1", .undone(nil)), ("app2", .undone(nil))], interrupted: true)
    )
  }

  @Test func `an interruption takes the batch in hand back once its stage has ended`() {
    let run = Run(of: plan, interruptedAfter: 2)

    #expect(run.told == ["run 1 2", "run 3", "undo 3", "undo 1 | 2"])
    #expect(
      run.result == result([("app1", .undone(nil)), ("app2", .notReached)], interrupted: true)
    )
  }

  @Test func `an interruption between two batches keeps what is switched`() {
    let run = Run(of: plan, interruptedAfter: 3)

    #expect(run.told == ["run 1 2", "run 3", "run 4", "undo 2"])
    #expect(
      run.result == result([("app1", .unfinished), ("app2", .undone(nil))], interrupted: true)
    )
  }

  @Test func `an interruption during the last stage comes too late to matter`() {
    let run = Run(of: plan, interruptedAfter: 6)

    #expect(run.result == result([("app1", .done), ("app2", .done)]))
  }

  @Test func `an interrupted undo goes on to its end`() {
    let run = Run(of: plan, failing: [4], interruptedAfter: 4)

    #expect(run.told == ["run 1 2", "run 3", "run 4", "undo 4", "undo 3", "undo 1 | 2"])
    #expect(run.result.interrupted)
  }

  private func result(
    _ hosts: [(MachineName, HostResult)],
    interrupted: Bool = false
  ) -> RunResult {
    RunResult(
      hosts: hosts.map { .init(host: $0.0, result: $0.1) },
      interrupted: interrupted
    )
  }
}

/// One run of a plan with given outcomes, told in words.
private struct Run {
  private(set) var told: [String] = []
  let result: RunResult

  init(
    of plan: Plan,
    failing: Set<Int> = [],
    effect: StepFailure.Effect = .possible,
    others: StepOutcome = .done(StepReport()),
    undoFailing: Set<Int> = [],
    interruptedAfter: Int? = nil
  ) {
    var machine = RunMachine(plan: plan)
    while true {
      if told.count == interruptedAfter { machine.interrupt() }
      switch machine.next() {
      case .run(let stage, _):
        told.append(
          "run " + stage.lanes.flatMap { $0 }.map { "\($0.number)" }.joined(separator: " ")
        )
        machine.stageFinished(
          stage.lanes.flatMap { Self.facts(of: $0, failing, effect, others) }
        )
      case .undo(let lanes):
        let words = lanes.map { $0.map { "\($0.step.number)" }.joined(separator: " ") }
        told.append("undo " + words.joined(separator: " | "))
        machine.undoFinished(
          failures: lanes.flatMap { $0 }.map(\.step).filter { undoFailing.contains($0.number) }
            .map { $0.failure(.refused, "step \($0.number)") }
        )
      case .finish(let result):
        self.result = result
        return
      }
    }
  }

  /// A lane runs to its end or to its first failure.
  private static func facts(
    of lane: [Step],
    _ failing: Set<Int>,
    _ effect: StepFailure.Effect,
    _ others: StepOutcome
  ) -> [RunMachine.Fact] {
    var facts: [RunMachine.Fact] = []
    for step in lane {
      guard !failing.contains(step.number) else {
        let failure = step.failure(.refused, "step \(step.number)", effect)
        return facts + [.init(step: step.number, outcome: .failed(failure))]
      }
      facts.append(.init(step: step.number, outcome: others))
    }
    return facts
  }
}

private func step(_ number: Int, _ machine: MachineName, _ host: MachineName) -> Step {
  let command = RemoteCommand("do \(number)", timeout: .seconds(1))
  let back = RemoteCommand("undo \(number)", timeout: .seconds(1))
  return Step(
    number: number,
    machine: machine,
    hosts: [host],
    act: .restoreFiles,
    command: command,
    undo: [.init(.restoreFiles, back)]
  )
}

private func failure(_ number: Int, _ machine: MachineName, _ host: MachineName) -> StepFailure {
  step(number, machine, host).failure(.refused, "step \(number)")
}
