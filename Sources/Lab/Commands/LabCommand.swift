package import ArgumentParser

/// `duplex-lab` itself.
package struct LabCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "duplex-lab",
    abstract: "A fleet on one machine, for practice, demos and tests.",
    discussion: """
      Every host has its own network, processes, disk, sshd, and monit, haproxy or nginx. Needs \
      root. The machine's own files below / must not be changed while a lab is up.

      Examples:
        duplex-lab up
        duplex-lab inventory > lab.yml
        duplex-lab ssh app1 -- uptime
        duplex-lab load --seconds 10 --connections 8
        duplex-lab poweroff app2
        duplex-lab down
      """,
    version: "0.1.0",
    subcommands: [
      UpCommand.self, DownCommand.self, StatusCommand.self, ExecCommand.self, SSHCommand.self,
      PowerOffCommand.self, BootCommand.self, PartitionCommand.self, InventoryCommand.self,
      LoadCommand.self, DemoCommand.self, LinkCommand.self,
    ]
  )

  package init() {}
}

/// Which lab.
struct LabOptions: ParsableArguments {
  @Option(help: "The folder with the lab's keys, logs and disks.")
  var state = "/run/duplex-lab"

  func fleet() throws -> LabFleet {
    LabFleet(settings: try LabSettings.required(state: state))
  }
}
