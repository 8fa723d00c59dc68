import ArgumentParser
import Rollout

/// `duplexctl rollout`: the proxy into and out of the path of the fleet's traffic.
struct RolloutCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollout",
    abstract: "Put the proxy into the path of the fleet's traffic, or take it out.",
    discussion: """
      Examples:
        duplexctl rollout enable --dry-run
        duplexctl rollout enable --limit app1
        duplexctl rollout status
        duplexctl rollout rollback app2
        duplexctl rollout disable
      """,
    subcommands: [
      EnableCommand.self, DisableCommand.self, RollbackCommand.self, StatusCommand.self,
    ]
  )
}

struct EnableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enable",
    abstract: "Deploy and start the proxy on every host, then move their traffic onto it.",
    discussion: """
      All hosts are prepared at once: deployed, started under monit, healthy, reachable from the \
      balancers. Only then is traffic moved, batch after batch: drained, taken out, pointed at the \
      proxy, put back, verified. A step that fails takes its batch back and ends the rollout.

      Examples:
        duplexctl rollout enable --dry-run
        duplexctl rollout enable --limit app1 --yes
        duplexctl rollout enable --batch 25%

      Exit status: 0 done, 1 refused or failed and put back, 2 failed and a machine needs hands, \
      64 wrong usage or inventory, 130 interrupted and put back. Interrupted twice it ends in the \
      middle: 2.
      """
  )

  @OptionGroup var options: RolloutOptions

  func run() async throws {
    try await RolloutStory(wish: .enabled, options: options).run()
  }
}

struct DisableCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "disable",
    abstract: "Move the traffic back to the primaries, and stop the proxies.",
    discussion: """
      The reverse of enable: haproxy.cfg ends as it was before, byte for byte. The proxies are \
      stopped once no connection is open through them.

      Examples:
        duplexctl rollout disable --dry-run
        duplexctl rollout disable --limit app1,app3 --yes
      """
  )

  @OptionGroup var options: RolloutOptions

  func run() async throws {
    try await RolloutStory(wish: .disabled, options: options).run()
  }
}

struct RollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Put one host back as it was without the proxy, whatever state it is in.",
    discussion: """
      Also for a host that a run left behind half switched: drained, marked in haproxy.cfg, in \
      maintenance. The other hosts stay as they are.

      Example:
        duplexctl rollout rollback app2
      """
  )

  @Argument(help: "The host, by its name in the inventory.")
  var host: String

  @OptionGroup var options: RunOptions

  func run() async throws {
    try await RolloutStory(wish: .rolledBack, limit: host, options: options).run()
  }
}
