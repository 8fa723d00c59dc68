import ArgumentParser
import Engine
import Fleet
import Rollout
import Workspace

/// `duplexctl shadow`: the kill switch of copying.
struct ShadowCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "shadow",
    abstract: "Stop and start copying on running proxies at once; no client notices.",
    discussion: """
      HAProxy and the proxies' configuration stay as they are. The switch lives as long as the \
      proxy's process: one that is started anew copies, as the inventory says.

      Examples:
        duplexctl shadow off
        duplexctl shadow on --limit app1
        duplexctl shadow status --output json
      """,
    subcommands: [ShadowOffCommand.self, ShadowOnCommand.self, ShadowStatusCommand.self]
  )

  static let statuses =
    "Exit status: 0 all hosts done, 1 some are not, 64 wrong usage or inventory."
}

struct ShadowOffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "off",
    abstract: "End every running copy now, and begin none.",
    discussion: """
      Asks nothing first. A host whose proxy does not run copies nothing, and counts as done.

      Example:
        duplexctl shadow off --limit app1,app2

      \(ShadowCommand.statuses)
      """
  )

  @OptionGroup var options: ShadowOptions

  func run() async throws { try await options.give(.off) }
}

struct ShadowOnCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "on",
    abstract: "Copy new connections again.",
    discussion: """
      Connections that are open stay uncopied: a copy from the middle of a stream would be garbage. \
      Where copying is on already, this closes the breakers, so that every shadow is tried at once.

      Example:
        duplexctl shadow on

      \(ShadowCommand.statuses)
      """
  )

  @OptionGroup var options: ShadowOptions

  func run() async throws { try await options.give(.on) }
}

struct ShadowStatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show per host and shadow: copying on or off, the breaker, open copies.",
    discussion: """
      Only looks.

      Example:
        duplexctl shadow status --output json

      Exit status: 0 all hosts answered, or their proxy does not run; 1 some did not, 64 wrong \
      usage or inventory.
      """
  )

  @OptionGroup var options: InventoryOptions

  @Option(help: "Only these hosts, separated by commas.")
  var limit: String?

  func run() async throws {
    try await ShadowSwitching(order: .status, inventory: options, limit: limit).run()
  }
}

struct ShadowOptions: ParsableArguments {
  @OptionGroup var inventory: InventoryOptions

  @Option(help: "Only these hosts, separated by commas.")
  var limit: String?

  @Flag(help: "Print every command for every host; do nothing.")
  var dryRun = false

  func give(_ order: CopyingSwitch.Order) async throws {
    let switching = ShadowSwitching(order: order, inventory: inventory, limit: limit)
    try await dryRun ? switching.dryRun() : switching.run()
  }
}

/// An order about copying as the operator lives through it.
struct ShadowSwitching {
  let order: CopyingSwitch.Order
  let inventory: InventoryOptions
  let limit: String?

  func run() async throws {
    let machine = OperatorMachine.current()
    let (file, hosts) = try read(machine)
    let machines = Machines(connector: SSHConnector(inventory: file.inventory, machine: machine))
    let answers = await FleetSwitching(machines: machines).give(order, to: hosts)
    await machines.closeAll()
    let output = ShadowOutput(
      order: order,
      answers: hosts.map { ($0.name, answers[$0.name] ?? .unexpected("")) },
      inventory: inventory.inventory
    )
    try output.write(as: inventory.output)
    if !output.isDone { throw ExitCode(1) }
  }

  func dryRun() throws {
    let (_, hosts) = try read(OperatorMachine.current())
    let commands = hosts.map { ($0.name, CopyingSwitch.command(order, on: $0)) }
    try ShadowPlanOutput(order: order, commands: commands).write(as: inventory.output)
  }

  private func read(_ machine: OperatorMachine) throws -> (InventoryFile, [Host]) {
    try UsageError.wrapping {
      let file = try InventoryFile.load(inventory.inventory, on: machine)
      return (file, try file.inventory.hosts(.init(limit: limit)))
    }
  }
}
