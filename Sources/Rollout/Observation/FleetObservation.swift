package import Fleet
package import HAProxy
package import Monit
package import Remote

/// What the fleet looks like now, machine by machine.
package struct FleetObservation: Sendable, Hashable {
  package var hosts: [MachineName: Sighting<HostSighting>]
  package var balancers: [MachineName: Sighting<BalancerObservation>]

  package init(
    hosts: [MachineName: Sighting<HostSighting>] = [:],
    balancers: [MachineName: Sighting<BalancerObservation>] = [:]
  ) {
    self.hosts = hosts
    self.balancers = balancers
  }
}

/// What one machine showed, or why it showed nothing.
package enum Sighting<Observation: Sendable & Hashable>: Sendable, Hashable {
  case seen(Observation)
  case unreachable(RemoteError)
  /// It answered, but not so that one could read it.
  case unreadable(CommandResult)

  package var observation: Observation? {
    if case .seen(let observation) = self { observation } else { nil }
  }
}

/// A host: its files, processes and ports, and its monit.
package struct HostSighting: Sendable, Hashable {
  package var host: HostObservation
  package var monit: MonitObservation

  package init(host: HostObservation, monit: MonitObservation) {
    self.host = host
    self.monit = monit
  }
}
