import Engine
import Fleet
import Logging
import Remote
import SSH
import SystemPackage
import Workspace

/// Knows that a machine of the inventory is reached over SSH.
struct SSHConnector: MachineConnector {
  private let destinations: [MachineName: SSHDestination]
  private let prompt = PassphrasePrompt()
  private let logger = Logger(label: "ssh") { _ in SwiftLogNoOpLogHandler() }

  init(inventory: Inventory, machine: OperatorMachine) {
    let addresses =
      inventory.hosts.map { ($0.name, $0.ssh, $0.timeouts) }
      + inventory.balancers.map { ($0.name, $0.ssh, $0.timeouts) }
    destinations = Dictionary(
      uniqueKeysWithValues: addresses.map { name, ssh, timeouts in
        (name, SSHDestination(ssh, timeout: timeouts.connect, machine: machine))
      }
    )
  }

  func connect(to machine: MachineName) async throws(RemoteError) -> any RemoteHost {
    guard let destination = destinations[machine] else {
      throw RemoteError(.unreachable, detail: "\(machine) is not in the inventory")
    }
    let prompt = prompt
    return try await SSHConnection.connect(
      to: destination,
      passphrase: { await prompt.passphrase(for: $0) },
      logger: logger
    )
  }
}

extension SSHDestination {
  fileprivate init(_ ssh: SSHAddress, timeout: Duration, machine: OperatorMachine) {
    func path(_ written: String) -> FilePath {
      FilePath(machine.absolute(written, from: machine.folder))
    }
    let agent = ssh.agent ? machine.environment["SSH_AUTH_SOCK"] : nil
    self.init(
      address: ssh.address,
      port: ssh.port,
      user: ssh.user,
      keyFiles: ssh.keys.map(path),
      agentSocket: agent.flatMap { $0.isEmpty ? nil : FilePath($0) },
      knownHostsFiles: ssh.knownHosts.map(path),
      elevation: ssh.sudo ? .sudo : .alreadyRoot,
      connectTimeout: timeout
    )
  }
}
