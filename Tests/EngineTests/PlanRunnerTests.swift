import Engine
import Fleet
import Remote
import Rollout
import Synchronization
import TestSupport
import Testing

struct PlanRunnerTests {
  /// app1 is prepared (1), then switched by two steps on lb1 (2, 3).
  private let plan = Plan(
    wish: .enabled,
    phases: [
      Phase(.prepare, hosts: ["app1"], stages: [Stage(lanes: [[step(1, "app1")]])]),
      Phase(
        .switch,
        hosts: ["app1"],
        stages: [Stage(lanes: [[step(2, "lb1")]]), Stage(lanes: [[step(3, "lb1")]])]
      ),
    ]
  )

  @Test func `what is intended and done is on record, in order`() async throws {
    let app1 = ScriptedHost("app1", expecting: [.init(command("do 1"))])
    let lb1 = ScriptedHost("lb1", expecting: [.init(command("do 2")), .init(command("do 3"))])
    let journal = MemoryJournal()

    let result = try await run(["app1": [app1], "lb1": [lb1]], journal)

    let done = RunResult(hosts: [.init(host: "app1", result: .done)], interrupted: false)
    #expect(result == done)
    #expect(
      await journal.records.map(\.timeless) == [
        .planned(wish: .enabled, steps: plan.recorded),
        .stepStarted(step: 1), finished(1), .stepStarted(step: 2), finished(2),
        .stepStarted(step: 3), finished(3), .ended(done),
      ]
    )
    #expect(
      await journal.durable == [.planned(wish: .enabled, steps: plan.recorded), .ended(done)]
    )
    await expectNothingLeft(app1, lb1)
  }

  @Test func `a step that fails is taken back with all before it, last first`() async throws {
    let app1 = ScriptedHost(
      "app1",
      expecting: [.init(command("do 1")), .init(command("undo 1"))]
    )
    let lb1 = ScriptedHost(
      "lb1",
      expecting: [
        .init(command("do 2")), .init(command("do 3"), exits: 1, errors: "refused\n"),
        .init(command("undo 3")), .init(command("undo 2")),
      ]
    )
    let journal = MemoryJournal()

    let result = try await run(["app1": [app1], "lb1": [lb1]], journal)

    let failure = step(3, "lb1").failure(.refused, "refused")
    let undone = RunResult(
      hosts: [.init(host: "app1", result: .undone(failure))],
      interrupted: false
    )
    #expect(result == undone)
    #expect(
      await journal.records.map(\.timeless) == [
        .planned(wish: .enabled, steps: plan.recorded),
        .stepStarted(step: 1), finished(1), .stepStarted(step: 2), finished(2),
        .stepStarted(step: 3),
        .stepFinished(step: 3, outcome: .failed(failure), milliseconds: 0),
        .undoStarted(step: 3), .undoFinished(step: 3, failure: nil, milliseconds: 0),
        .undoStarted(step: 2), .undoFinished(step: 2, failure: nil, milliseconds: 0),
        .undoStarted(step: 1), .undoFinished(step: 1, failure: nil, milliseconds: 0),
        .ended(undone),
      ]
    )
    await expectNothingLeft(app1, lb1)
  }

  @Test(arguments: [
    (RemoteError.Code.connectionLost, StepFailure.Reason.unreachable), (.timedOut, .timedOut),
  ])
  func `after a lost connection the machine is spoken to anew for the undo`(
    code: RemoteError.Code,
    reason: StepFailure.Reason
  ) async throws {
    let app1 = ScriptedHost(
      "app1",
      expecting: [.init(command("do 1")), .init(command("undo 1"))]
    )
    let lost = ScriptedHost(
      "lb1",
      expecting: [.init(command("do 2"), .failure(RemoteError(code, detail: "silence")))]
    )
    let again = ScriptedHost("lb1", expecting: [.init(command("undo 2"))])
    let connector = Connector(["app1": [app1], "lb1": [lost, again]])

    let result = try await run(connector, MemoryJournal())

    #expect(
      result.hosts == [
        .init(host: "app1", result: .undone(step(2, "lb1").failure(reason, "silence")))
      ]
    )
    #expect(await connector.connections == ["app1", "lb1", "lb1"])
    #expect(await lost.isClosed)
    await expectNothingLeft(app1, lost, again)
  }

  @Test func `a balancer that stays away leaves its undo to a person, and the proxy running`()
    async throws
  {
    let app1 = ScriptedHost("app1", expecting: [.init(command("do 1"))])
    let lost = ScriptedHost(
      "lb1",
      expecting: [
        .init(command("do 2"), .failure(RemoteError(.connectionLost, detail: "silence")))
      ]
    )
    let journal = MemoryJournal()

    let result = try await run(["app1": [app1], "lb1": [lost]], journal)

    let cause = step(2, "lb1").failure(.unreachable, "silence")
    let left = step(2, "lb1").failure(.unreachable, "No route to host")
    #expect(result.hosts == [.init(host: "app1", result: .needsHands([cause, left]))])
    #expect(
      await journal.records.map(\.timeless).contains(
        .undoFinished(step: 2, failure: left, milliseconds: 0)
      )
    )
    await expectNothingLeft(app1, lost)
  }

  @Test func `a lane stops at its first failure, the lane beside it runs to its end`() async throws
  {
    let plan = Plan(
      wish: .enabled,
      phases: [
        Phase(
          .prepare,
          hosts: ["app1", "app2"],
          stages: [
            Stage(lanes: [
              [step(1, "app1"), step(2, "app1")],
              [step(3, "app2", host: "app2"), step(4, "app2", host: "app2")],
            ])
          ]
        )
      ]
    )
    let app1 = ScriptedHost(
      "app1",
      expecting: [.init(command("do 1"), exits: 1), .init(command("undo 1"))]
    )
    let app2 = ScriptedHost(
      "app2",
      expecting: ["do 3", "do 4", "undo 4", "undo 3"].map { .init(command($0)) }
    )

    let result = try await PlanRunner(
      plan: plan,
      machines: Machines(connector: Connector(["app1": [app1], "app2": [app2]])),
      journal: MemoryJournal(),
      interruption: Interruption(),
      report: { _ in }
    ).run()

    #expect(
      result.hosts == [
        .init(
          host: "app1",
          result: .undone(step(1, "app1").failure(.refused, "exit status 1"))
        ),
        .init(host: "app2", result: .undone(nil)),
      ]
    )
    await expectNothingLeft(app1, app2)
  }

  @Test func `without a journal nothing is begun`() async throws {
    let connector = Connector([:])

    await #expect(throws: MemoryJournal.DiskFull.self) {
      try await run(connector, MemoryJournal(capacity: 0))
    }

    #expect(await connector.connections == [])
  }

  @Test func `a journal that fills up stops the run before the step it cannot record`()
    async throws
  {
    let app1 = ScriptedHost(
      "app1",
      expecting: [.init(command("do 1")), .init(command("undo 1"))]
    )
    let journal = MemoryJournal(capacity: 3)

    let result = try await run(["app1": [app1]], journal)

    #expect(
      result.hosts == [
        .init(
          host: "app1",
          result: .undone(
            step(2, "lb1").failure(.unexpectedAnswer, "the journal cannot be written", .none)
          )
        )
      ]
    )
    await expectNothingLeft(app1)
  }

  @Test func `an interruption lets the step in hand end, takes all back, and is on record`()
    async throws
  {
    let interruption = Interruption()
    let app1 = ScriptedHost("app1") { command in
      if command.script == "do 1" { interruption.request() }
      return .success(CommandResult(termination: .exited(0)))
    }
    let journal = MemoryJournal()

    let result = try await run(["app1": [app1]], journal, interruption)

    let undone = RunResult(
      hosts: [.init(host: "app1", result: .undone(nil))],
      interrupted: true
    )
    #expect(result == undone)
    #expect(await app1.commands.map(\.script) == ["do 1", "undo 1"])
    #expect(
      await journal.records.map(\.timeless) == [
        .planned(wish: .enabled, steps: plan.recorded), .stepStarted(step: 1), finished(1),
        .undoStarted(step: 1), .undoFinished(step: 1, failure: nil, milliseconds: 0),
        .interrupted, .ended(undone),
      ]
    )
  }

  @Test func `everything is told as it happens`() async throws {
    let app1 = ScriptedHost(
      "app1",
      expecting: [.init(command("do 1"), exits: 1), .init(command("undo 1"))]
    )
    let told = Mutex<[String]>([])
    let connector = Connector(["app1": [app1]])

    _ = try await PlanRunner(
      plan: plan,
      machines: Machines(connector: connector),
      journal: MemoryJournal(),
      interruption: Interruption(),
      report: { event in told.withLock { $0.append(event.told) } }
    ).run()

    #expect(
      told.withLock { $0 } == [
        "stage of prepare", "step 1", "step 1 failed", "undo", "undo of 1", "undo of 1 done",
      ]
    )
  }

  private func run(
    _ conversations: [MachineName: [any RemoteHost]],
    _ journal: MemoryJournal,
    _ interruption: Interruption = Interruption()
  ) async throws -> RunResult {
    try await run(Connector(conversations), journal, interruption)
  }

  private func run(
    _ connector: Connector,
    _ journal: MemoryJournal,
    _ interruption: Interruption = Interruption()
  ) async throws -> RunResult {
    try await PlanRunner(
      plan: plan,
      machines: Machines(connector: connector),
      journal: journal,
      interruption: interruption,
      report: { _ in }
    ).run()
  }

  private func finished(_ step: Int) -> JournalRecord {
    .stepFinished(step: step, outcome: .done(StepReport()), milliseconds: 0)
  }

  private func expectNothingLeft(_ hosts: ScriptedHost...) async {
    for host in hosts { await host.expectNothingLeft() }
  }
}

private func command(_ script: String) -> RemoteCommand {
  RemoteCommand(script, timeout: .seconds(1))
}

private func step(_ number: Int, _ machine: MachineName, host: MachineName = "app1") -> Step {
  Step(
    number: number,
    machine: machine,
    hosts: [host],
    act: .restoreFiles,
    command: command("do \(number)"),
    undo: [.init(.restoreFiles, command("undo \(number)"))]
  )
}

extension RunEvent {
  fileprivate var told: String {
    switch self {
    case .stageStarted(let phase, _): "stage of \(phase.kind.rawValue)"
    case .stepStarted(let step): "step \(step.number)"
    case .stepFinished(let step, .failed, _): "step \(step.number) failed"
    case .stepFinished(let step, _, _): "step \(step.number) done"
    case .undoStarted: "undo"
    case .undoStepStarted(let step, _): "undo of \(step.number)"
    case .undoStepFinished(let step, nil, _): "undo of \(step.number) done"
    case .undoStepFinished(let step, _, _): "undo of \(step.number) failed"
    case .journalFailed: "the journal failed"
    }
  }
}
