import Fleet
import Rollout

/// The state of the fleet, a row for each route of a host on each balancer.
struct StatusOutput {
  let statuses: [HostStatus]
  /// As the operator named it; nil where it was found.
  let inventory: String?

  func write(as format: OutputFormat) throws {
    switch format {
    case .text: Stream.standardOutput.line(text.joined(separator: "\n"))
    case .json: Stream.standardOutput.line(try JSON.text(statuses))
    }
  }

  private var text: [String] {
    Array([table, copies, notes].filter { !$0.isEmpty }.joined(separator: [""]))
  }

  /// Route and balancer are named only where there is more than one to tell apart.
  private var table: [String] {
    let hasRoutes = Set(statuses.map(\.route)).count > 1
    let hasBalancers = Set(statuses.map(\.balancer)).count > 1
    var table = Columns(
      ["host"] + (hasRoutes ? ["route"] : []) + ["path", "proxy", "pid", "monit"]
        + (hasBalancers ? ["balancer"] : []) + ["HAProxy", "state", "sessions", "agree"]
    )
    for status in statuses {
      let proxy = status.proxyVersion.map {
        "\($0) \(status.isHealthy ? "healthy" : "UNHEALTHY")"
      }
      table.add(
        [status.host.text] + (hasRoutes ? [status.route.text] : []) + [
          status.path.rawValue, proxy ?? "-", status.proxyPID.map(String.init) ?? "-",
          status.monit,
        ] + (hasBalancers ? [status.balancer.text] : []) + [
          status.runningAddress, status.serverStatus, String(status.sessions),
          status.agrees ? "yes" : "NO",
        ]
      )
    }
    return table.lines
  }

  private var copies: [String] {
    var seen: Set<MachineName> = []
    return statuses.compactMap { status in
      guard let copies = status.copies, seen.insert(status.host).inserted else { return nil }
      if copies.shadows == 0 { return "\(status.host): it has no shadow, and copies nothing" }
      return "\(status.host): the shadow got \(copies.bytes) bytes on \(copies.connections) "
        + "connections, and was dropped on \(copies.drops)" + left(out: copies)
        + state(of: copies, on: status.host)
    }
  }

  /// What was not copied at all.
  private func left(out copies: ShadowCopies) -> String {
    var words = ""
    if copies.skips > 0 { words += "; \(copies.skips) copies were not begun" }
    if copies.unsampled > 0 {
      words += "; \(copies.unsampled) were not in the sample"
      if copies.connections == 0 {
        words +=
          " (who connects is the balancer, which is in the sample or out as a whole: see `rate`)"
      }
    }
    return words
  }

  private func state(of copies: ShadowCopies, on host: MachineName) -> String {
    if copies.isOff {
      let command = Sentences.command("shadow on --limit \(host)", inventory: inventory)
      return ". Copying is switched OFF: \(command)"
    }
    guard copies.openBreakers > 0 else { return "" }
    let command = Sentences.command("shadow status --limit \(host)", inventory: inventory)
    return ". A BREAKER IS OPEN, that shadow gets nothing now: \(command)"
  }

  private var notes: [String] {
    statuses.flatMap { status in
      status.disagreements.map { disagreement in
        let words =
          switch disagreement {
          case .unreachable, .serversUnseen:
            "\(disagreement.rawValue): \(Sentences.command("check", inventory: inventory)) says why"
          case .fileAndProcessDiffer:
            status.fileAddress == status.runningAddress
              ? "haproxy.cfg does not have it as the running HAProxy, where it is \(status.serverStatus)"
              : "haproxy.cfg says \(status.fileAddress), the running HAProxy \(status.runningAddress)"
          case .takenOut:
            "\(disagreement.rawValue): \(Sentences.command("haproxy add \(status.host)", inventory: inventory)), "
              + "or rollout rollback \(status.host) if a run was cut off"
          case .proxyRunsWithoutTraffic:
            "\(disagreement.rawValue): "
              + Sentences.command("rollout rollback \(status.host)", inventory: inventory)
              + " stops it"
          case .trafficWithoutMonit, .trafficWithoutHealthyProxy:
            "\(disagreement.rawValue): "
              + Sentences.command("rollout rollback \(status.host)", inventory: inventory)
              + " moves it back to the primary, if that answers"
          default: disagreement.rawValue
          }
        return "\(status.host) (\(status.balancer)): \(words)"
      }
    }
  }
}
