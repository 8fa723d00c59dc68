package import Fleet
package import Remote

/// Opens conversations with machines of the inventory. How is the caller's business.
package protocol MachineConnector: Sendable {
  func connect(to machine: MachineName) async throws(RemoteError) -> any RemoteHost
}

/// The conversations of a run. One that was lost is opened anew when it is needed again: undo must
/// not fail because the step before it lost the connection.
package actor Machines {
  private let connector: any MachineConnector
  private var open: [MachineName: any RemoteHost] = [:]

  package init(connector: any MachineConnector) {
    self.connector = connector
  }

  /// Runs a command on a machine. At most one at a time per machine.
  package func run(
    _ command: RemoteCommand,
    on name: MachineName
  ) async throws(RemoteError) -> CommandResult {
    let machine = try await machine(name)
    do throws(RemoteError) {
      return try await machine.run(command)
    } catch {
      // What the command did is unknown, so it is not sent again here; only the door is reopened.
      open[name] = nil
      await machine.close()
      throw error
    }
  }

  package func closeAll() async {
    let machines = open.values
    open = [:]
    for machine in machines { await machine.close() }
  }

  private func machine(_ name: MachineName) async throws(RemoteError) -> any RemoteHost {
    if let machine = open[name] { return machine }
    let machine = try await connector.connect(to: name)
    open[name] = machine
    return machine
  }
}
