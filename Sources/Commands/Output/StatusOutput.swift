import Rollout

/// The state of the fleet, a row for each route of a host on each balancer.
struct StatusOutput {
  let statuses: [HostStatus]

  func write(as format: OutputFormat) throws {
    switch format {
    case .text: Stream.standardOutput.line(text.joined(separator: "\n"))
    case .json: Stream.standardOutput.line(try JSON.text(statuses))
    }
  }

  private var text: [String] {
    var table = Columns([
      "host", "route", "traffic", "proxy", "pid", "health", "monit", "balancer", "haproxy.cfg",
      "running", "state", "sessions", "agree",
    ])
    for status in statuses {
      table.add([
        status.host.text, status.route.text, status.path.rawValue, status.proxyVersion ?? "-",
        status.proxyPID.map(String.init) ?? "-",
        status.proxyPID == nil ? "-" : status.isHealthy ? "healthy" : "UNHEALTHY", status.monit,
        status.balancer.text, status.fileAddress, status.runningAddress, status.serverStatus,
        String(status.sessions), status.agrees ? "yes" : "NO",
      ])
    }
    let notes = statuses.flatMap { status in
      status.disagreements.map { "\(status.host) (\(status.balancer)): \($0.rawValue)" }
    }
    return table.lines + (notes.isEmpty ? [] : [""] + notes)
  }
}
