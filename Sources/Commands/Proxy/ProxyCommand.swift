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
        duplexctl proxy reload --dry-run
        duplexctl proxy reload app1
        duplexctl proxy upgrade app1
      """,
    subcommands: [ReloadCommand.self, UpgradeCommand.self]
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
      connections where the primary spoke last and a second has passed (idle ones, and streams that pause), and after \
      ten times that, all. Hosts take turns as in a \
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

  @OptionGroup var proxies: RunningProxyOptions

  func run() async throws { try await proxies.story(.upgraded).run() }
}

struct ReloadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload",
    abstract: "Put the inventory's configuration into the running process.",
    discussion: """
      As upgrade, without the executable: the process stays what it is and reads its configuration again, for new \
      connections; those that are open go on as they are. HAProxy is not touched and no connection is refused. \
      Hosts take turns as in a rollout (--batch). A configuration that the proxy does not understand, or \
      cannot carry out, is refused by it, and the files are put back as they were. A change that would turn \
      HAProxy's requests away is refused at once. A route that is no longer in the inventory is no longer \
      listened on: take it out of HAProxy first.

      Examples:
        duplexctl proxy reload --dry-run
        duplexctl proxy reload app1 app2
        duplexctl proxy reload --limit app1 --yes

      Exit status: 0 done, 1 refused or failed and put back, 2 failed and a machine needs hands, \
      64 wrong usage or inventory, 130 interrupted and put back.
      """
  )

  @OptionGroup var proxies: RunningProxyOptions

  func run() async throws { try await proxies.story(.reloaded).run() }
}

/// Which of the proxies that run are changed, and how many together.
struct RunningProxyOptions: ParsableArguments {
  @Argument(help: "The hosts, by their names in the inventory; default: all.")
  var hosts: [String] = []

  @OptionGroup var options: RolloutOptions

  func validate() throws {
    guard hosts.isEmpty || options.limit == nil else {
      throw ValidationError("name the hosts, or give --limit, not both")
    }
  }

  func story(_ wish: Wish) -> RolloutStory {
    let named = hosts.isEmpty ? nil : hosts.joined(separator: ",")
    return RolloutStory(
      wish: wish,
      limit: named ?? options.limit,
      batch: options.batch?.size,
      options: options.run
    )
  }
}
