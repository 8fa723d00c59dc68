package import Fleet
import Remote
package import Rollout

/// Gives an order about copying to all chosen hosts at once.
package struct FleetSwitching: Sendable {
  private let machines: Machines

  package init(machines: Machines) {
    self.machines = machines
  }

  /// What each host answered; one that answers nothing keeps no other waiting.
  package func give(_ order: CopyingSwitch.Order, to hosts: [Host]) async
    -> [MachineName: CopyingAnswer]
  {
    await withTaskGroup(of: (MachineName, CopyingAnswer).self) { group in
      for host in hosts {
        group.addTask { (host.name, await give(order, to: host)) }
      }
      return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
    }
  }

  private func give(_ order: CopyingSwitch.Order, to host: Host) async -> CopyingAnswer {
    do throws(RemoteError) {
      let command = CopyingSwitch.command(order, on: host)
      return CopyingSwitch.reading(try await machines.run(command, on: host.name))
    } catch {
      return .unreachable(error)
    }
  }
}
