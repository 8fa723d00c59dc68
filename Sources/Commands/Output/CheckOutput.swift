import Fleet
import Rollout

/// A fleet on which a rollout can begin.
struct CheckOutput {
  let work: Fleetwork
  let observation: FleetObservation
  /// As the operator named it; nil where it was found.
  let inventory: String?

  var lines: [String] {
    var table = Columns(["machine", "what was seen"])
    for host in work.hosts {
      guard let seen = observation.hosts[host.name]?.observation else { continue }
      table.add([
        host.name.text,
        "\(seen.host.architecture), monit \(seen.monit.version ?? "?"), "
          + (seen.host.process.map { "proxy runs (pid \($0.pid))" } ?? "no proxy runs"),
      ])
    }
    for balancer in work.balancers {
      guard let seen = observation.balancers[balancer.name]?.observation,
        let process = seen.process
      else { continue }
      let way =
        balancer.appliesAtRuntime(process)
        ? "edits applied at runtime, no reload" : "edits applied by reloads"
      table.add([balancer.name.text, "HAProxy \(seen.version ?? "?"), \(way)"])
    }
    let next = Sentences.command("rollout enable --dry-run", inventory: inventory)
    return table.lines + ["", "A rollout can begin: \(next)"]
  }
}
