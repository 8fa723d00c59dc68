import ArgumentParser
import Engine
import Fleet
import Rollout
import Workspace

/// One rollout as the operator lives through it: look, plan, show or ask, run, sum up.
struct RolloutStory {
  private let wish: Wish
  private let limit: String?
  private let batch: Inventory.BatchSize?
  private let options: RunOptions
  private let machine = OperatorMachine.current()

  init(wish: Wish, options: RolloutOptions) {
    self.wish = wish
    limit = options.limit
    batch = options.batch?.size
    self.options = options.run
  }

  init(
    wish: Wish,
    limit: String?,
    batch: Inventory.BatchSize? = nil,
    options: RunOptions
  ) {
    self.wish = wish
    self.limit = limit
    self.batch = batch
    self.options = options
  }

  func run() async throws {
    let terminal = Terminal.current(environment: machine.environment)
    let clock = ContinuousClock()
    let start = clock.now
    let work = try UsageError.wrapping {
      try Fleetwork(inventory: options.inventory.inventory, limit: limit, machine: machine)
    }
    Stream.standardError.line(
      Sentences.surveying(work.hosts, work.balancers, inventory: work.file.name)
    )
    let observation = await work.survey(work.balancers)
    let surveyed = clock.now - start
    do {
      let request = work.request(wish, batch: batch, observation: observation)
      try await carryOut(request, work, terminal, surveyed: surveyed)
    } catch {
      await work.machines.closeAll()
      throw error
    }
    await work.machines.closeAll()
  }

  private func carryOut(
    _ request: Planner.Request,
    _ work: Fleetwork,
    _ terminal: Terminal,
    surveyed: Duration
  ) async throws {
    switch Planner(request).answer() {
    case .refused(let findings):
      FindingsOutput(terminal: terminal).write(findings, as: options.inventory.output)
      Stream.standardError.line(Sentences.refused(wish))
      throw ExitCode(1)
    case .plan(let plan, let unchanged, let warnings):
      FindingsOutput(terminal: terminal).write(warnings)
      if options.dryRun {
        return try PlanOutput(plan: plan, unchanged: unchanged).write(as: options.inventory.output)
      }
      if plan.isEmpty {
        return try SummaryOutput.nothingToDo(
          wish,
          hosts: unchanged,
          as: options.inventory.output
        )
      }
      guard try confirm(plan, terminal) else {
        Stream.standardError.line("Nothing was changed.")
        throw ExitCode(1)
      }
      try await execute(plan, unchanged, work, terminal, surveyed: surveyed)
    }
  }

  private func confirm(_ plan: Plan, _ terminal: Terminal) throws -> Bool {
    if options.yes { return true }
    guard terminal.canAsk else {
      throw UsageError.refusal(
        "there is no terminal to ask on: pass --yes to go ahead. Nothing was changed."
      )
    }
    terminal.forgetTyped()
    Stream.standardError.write(Sentences.question(plan))
    let answer = readLine()?.lowercased()
    return answer == "y" || answer == "yes"
  }

  private func execute(
    _ plan: Plan,
    _ unchanged: [MachineName],
    _ work: Fleetwork,
    _ terminal: Terminal,
    surveyed: Duration
  ) async throws {
    let journal = try await work.journal(of: wish)
    let interruption = Interruption()
    let named = options.inventory.inventory
    let progress = ProgressOutput(plan: plan, terminal: terminal)
    let signals = InterruptSignals(interruption) {
      progress.note(Sentences.interrupted)
    } leave: {
      progress.note(
        Sentences.left(plan, journal: journal.file.path, inventory: named)
      )
    }
    defer { signals.stop() }
    let tally = StepTally()
    let clock = ContinuousClock()
    let start = clock.now
    let result = try await PlanRunner(
      plan: plan,
      machines: work.machines,
      journal: journal,
      interruption: interruption
    ) { event in
      progress.show(event)
      tally.count(event)
    }.run()
    progress.finish(result, wish)
    try SummaryOutput(
      plan: plan,
      result: result,
      unchanged: unchanged,
      tally: tally.totals,
      surveyed: surveyed,
      took: clock.now - start,
      journal: journal.file.path,
      inventory: named
    ).write(as: options.inventory.output)
    if result.needsHands { throw ExitCode(2) }
    if result.interrupted { throw ExitCode(130) }
    if !result.succeeded { throw ExitCode(1) }
  }
}
