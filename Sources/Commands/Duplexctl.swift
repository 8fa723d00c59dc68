// Commands: duplexctl's commands, a folder a noun, a file a verb. Output/ is the only place that
// knows formats and sentences; Wiring/ is the only place that knows that a host is SSH and a
// journal a file. What can be decided from values is decided in Rollout, not here.

package import ArgumentParser

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// `duplexctl` itself.
package struct Duplexctl: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "duplexctl",
    abstract:
      "Duplicate production traffic to a shadow, switched on and off without a lost request.",
    discussion: """
      First steps:
        duplexctl init                      begin an inventory
        duplexctl check                     look at the fleet, say what is missing
        duplexctl rollout enable --dry-run  print every command, do nothing
        duplexctl rollout enable            put the proxy into the traffic's path
        duplexctl rollout status            what hosts, HAProxy and monit say
        duplexctl rollout rollback app2     put one host back
        duplexctl rollout disable           take the proxy out of the path again
        duplexctl proxy reload              the inventory's configuration, under traffic
        duplexctl proxy upgrade             this release's proxy as well
        duplexctl shadow off                stop copying at once, whatever else

      Shell completions: duplexctl --generate-completion-script bash|zsh|fish
      """,
    version: version,
    subcommands: [
      InitCommand.self, CheckCommand.self, RolloutCommand.self, ShadowCommand.self,
      HAProxyCommand.self, ProxyCommand.self,
    ]
  )

  package static let version = "0.1.0"

  package init() {}

  /// Runs the command that the arguments name, and ends the process with its status.
  package static func runToExit() async -> Never {
    // A reader that went away (`| head`) ends a write with EPIPE, not the program.
    signal(SIGPIPE, SIG_IGN)
    do {
      var command = try parseAsRoot()
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      let status = exitCode(for: error)
      // What was asked for, such as help.
      guard status != .success else { exit(withError: error) }
      let complaint = complaint(of: error)
      if !complaint.isEmpty { Stream.standardError.line(complaint) }
      exit(withError: status)
    }
    exit()
  }

  /// In the form that all of duplexctl's errors have; empty where the reason has been said already.
  static func complaint(of error: any Error) -> String {
    let message = fullMessage(for: error)
    return message.hasPrefix("Error: ") ? "error: " + message.dropFirst("Error: ".count) : message
  }
}
