import ArgumentParser
import Fleet
import Rollout
import Workspace

/// `duplexctl check`: the survey of a rollout alone.
struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Look at every host and balancer, and say what a rollout would stumble over.",
    discussion: """
      Only looks: nothing is changed anywhere. What one runs first on a new fleet.

      Examples:
        duplexctl check
        duplexctl check -i inventories/production.yml --limit app1

      Exit status: 0 a rollout can begin, 1 it cannot, 64 wrong usage or inventory.
      """
  )

  @OptionGroup var options: InventoryOptions

  @Option(help: "Only these hosts, separated by commas.")
  var limit: String?

  func run() async throws {
    let machine = OperatorMachine.current()
    let terminal = Terminal.current(environment: machine.environment)
    let work = try UsageError.wrapping {
      try Fleetwork(inventory: options.inventory, limit: limit, machine: machine)
    }
    Stream.standardError.line(
      Sentences.surveying(work.hosts, work.balancers, inventory: work.file.name)
    )
    let observation = await work.survey()
    await work.machines.closeAll()
    let request = work.request(.enabled, batch: nil, observation: observation)
    let findings = Inspector(request).findings()
    FindingsOutput(terminal: terminal).write(findings, as: options.output)
    guard !findings.contains(where: { $0.severity == .blocking }) else { throw ExitCode(1) }
    guard options.output == .text else { return }
    for line in CheckOutput(work: work, observation: observation, inventory: options.inventory)
      .lines
    {
      Stream.standardOutput.line(line)
    }
  }
}
