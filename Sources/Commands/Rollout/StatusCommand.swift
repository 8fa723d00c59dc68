import ArgumentParser
import Fleet
import Rollout
import Workspace

/// `duplexctl rollout status`: what each host, HAProxy and monit say, and whether all agree.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show per host: the proxy, HAProxy, monit, and whether all agree.",
    discussion: """
      Only looks. Exit status: 0 all agree, 1 something does not, 64 wrong usage or inventory.

      Examples:
        duplexctl rollout status
        duplexctl rollout status --limit app2 --output json
      """
  )

  @OptionGroup var options: InventoryOptions

  @Option(help: "Only these hosts, separated by commas.")
  var limit: String?

  func run() async throws {
    let machine = OperatorMachine.current()
    let work = try UsageError.wrapping {
      try Fleetwork(inventory: options.inventory, limit: limit, machine: machine)
    }
    let observation = await work.survey()
    await work.machines.closeAll()
    let request = work.request(.enabled, batch: nil, observation: observation)
    let statuses = work.hosts.flatMap { HostStatus.all(of: $0, in: request) }
    try StatusOutput(statuses: statuses, inventory: options.inventory).write(as: options.output)
    if statuses.contains(where: { !$0.agrees }) { throw ExitCode(1) }
  }
}
