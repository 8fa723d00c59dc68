import ArgumentParser
import Fleet
import Rollout

/// `duplexctl proxy`: the proxies themselves, apart from the traffic's path.
struct ProxyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "proxy",
    abstract: "Change the proxies that run, while traffic goes through them.",
    discussion: """
      Examples:
        duplexctl proxy upgrade --dry-run
        duplexctl proxy upgrade app1
      """,
    subcommands: [UpgradeCommand.self]
  )
}

struct UpgradeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "upgrade",
    abstract:
      "Put this release's proxy and the inventory's configuration into the running process.",
    discussion: """
      HAProxy is not touched and no connection is refused: the process takes on the new executable, keeps its \
      listening sockets, and starts a new worker. The old one finishes what it has; after timeouts.drain it closes \
      connections that wait idle for a next request, and after ten times that, all. Hosts take turns as in a \
      rollout (--batch). An executable that does not start, or does not understand the configuration, is \
      refused by the one that runs, and the files are put back as they were.

      Examples:
        duplexctl proxy upgrade --dry-run
        duplexctl proxy upgrade app1 app2
        duplexctl proxy upgrade --limit app1 --yes

      Exit status: 0 done, 1 refused or failed and put back, 2 failed and a machine needs hands, \
      64 wrong usage or inventory, 130 interrupted and put back.
      """
  )

  @Argument(help: "The hosts, by their names in the inventory; default: all.")
  var hosts: [String] = []

  @OptionGroup var options: RolloutOptions

  func validate() throws {
    guard hosts.isEmpty || options.limit == nil else {
      throw ValidationError("name the hosts, or give --limit, not both")
    }
  }

  func run() async throws {
    let named = hosts.isEmpty ? nil : hosts.joined(separator: ",")
    try await RolloutStory(
      wish: .upgraded,
      limit: named ?? options.limit,
      batch: options.batch?.size,
      options: options.run
    ).run()
  }
}
