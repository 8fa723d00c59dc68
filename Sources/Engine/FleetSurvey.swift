package import Fleet
import HAProxy
import Monit
import Remote
package import Rollout

/// Looks at every chosen machine at once, and only looks.
package struct FleetSurvey: Sendable {
  private let machines: Machines

  package init(machines: Machines) {
    self.machines = machines
  }

  /// - Parameter executables: SHA-256 of the proxy that would be deployed, by host.
  package func look(
    at hosts: [Host],
    executables: [MachineName: String],
    balancers: [Balancer]
  ) async -> FleetObservation {
    await withTaskGroup(of: Seen.self) { group in
      for host in hosts {
        group.addTask { await look(at: host, executable: executables[host.name] ?? "") }
      }
      for balancer in balancers {
        group.addTask { await look(at: balancer) }
      }
      return await group.reduce(into: FleetObservation()) { observation, seen in
        switch seen {
        case .host(let name, let sighting): observation.hosts[name] = sighting
        case .balancer(let name, let sighting): observation.balancers[name] = sighting
        }
      }
    }
  }

  private enum Seen: Sendable {
    case host(MachineName, Sighting<HostSighting>)
    case balancer(MachineName, Sighting<BalancerObservation>)
  }

  private func look(at host: Host, executable: String) async -> Seen {
    do throws(RemoteError) {
      let result = try await machines.run(
        HostSurvey.command(for: host, executable: executable),
        on: host.name
      )
      let service = MonitService(host: host)
      let answer = try await machines.run(
        service.survey(timeout: host.timeouts.command),
        on: host.name
      )
      let sighting: Sighting<HostSighting>
      if let observation = HostSurvey.reading(result) {
        // Without root rights monit's files cannot be read; that is the one thing to say then.
        let monit =
          MonitObservation(answer, of: service)
          ?? (observation.isRoot ? nil : MonitObservation(version: nil))
        sighting =
          monit.map { .seen(HostSighting(host: observation, monit: $0)) } ?? .unreadable(answer)
      } else {
        sighting = .unreadable(result)
      }
      return .host(host.name, sighting)
    } catch {
      return .host(host.name, .unreachable(error))
    }
  }

  private func look(at balancer: Balancer) async -> Seen {
    do throws(RemoteError) {
      let result = try await machines.run(
        BalancerSurvey.command(
          configuration: balancer.configuration,
          statsSocket: balancer.statsSocket,
          masterSocket: balancer.masterSocket,
          timeout: balancer.timeouts.command
        ),
        on: balancer.name
      )
      guard var observation = BalancerSurvey.reading(result) else {
        return .balancer(balancer.name, .unreadable(result))
      }
      if let process = observation.process {
        let check = try await machines.run(process.checkAsItIs(), on: balancer.name)
        if !check.succeeded { observation.configurationError = check.seen }
      }
      return .balancer(balancer.name, .seen(observation))
    } catch {
      return .balancer(balancer.name, .unreachable(error))
    }
  }
}
