import HAProxy
import Remote
import Rollout

extension Planner.Answer {
  /// The plan; an error where there is none.
  func plan() throws -> Plan {
    switch self {
    case .plan(let plan, _, _): return plan
    case .refused(let findings): throw Refused(findings: findings)
    }
  }

  private struct Refused: Error {
    var findings: [Finding]
  }
}

extension World {
  var configurationText: String {
    observation.balancers["lb1"]?.observation.map {
      String(decoding: $0.fileBytes, as: UTF8.self)
    } ?? ""
  }
}

extension Plan {
  /// The plan as a runbook: a line per phase and stage, lanes parted by bars.
  var told: [String] { phases.flatMap(\.told) }

  /// What haproxy.cfg will be.
  var changedText: String? {
    configurationChanges.first.map { String(decoding: $0.after, as: UTF8.self) }
  }
}

extension Phase {
  var told: [String] {
    let names = hosts.map(\.text).joined(separator: " ")
    return ["\(kind.rawValue) \(names)"]
      + stages.map { stage in
        let lanes = stage.lanes.map { lane in
          let machine = lane.first?.machine.text ?? "nobody"
          return "\(machine) " + lane.map(\.act.told).joined(separator: ", ")
        }
        return "  " + lanes.joined(separator: " | ")
      }
  }
}

extension Act {
  var told: String {
    switch self {
    case .uploadExecutable: "upload"
    case .removeExecutable: "remove executable"
    case .installFiles: "install"
    case .restoreFiles: "restore"
    case .checkConfiguration: "check"
    case .reloadMonit: "reload monit"
    case .startProxy: "start"
    case .restartProxy: "restart"
    case .upgradeProxy: "upgrade"
    case .reloadProxy: "reload proxy"
    case .stopProxy: "stop"
    case .awaitHealth: "await health"
    case .lookAgain: "look again"
    case .awaitTraffic: "await traffic"
    case .awaitIdle: "await idle"
    case .validateEdits(let count): "validate \(count)"
    case .probe(let targets): "probe " + targets.joined(separator: " ")
    case .drain(let servers): "drain " + servers.told
    case .undrain(let servers): "undrain " + servers.told
    case .remove(let servers): "remove " + servers.told
    case .rewrite(let servers, let ports):
      "rewrite \(servers.told) to " + ports.map(String.init).joined(separator: " ")
    case .add(let servers): "add " + servers.told
    case .reload: "reload"
    case .awaitOldWorkers: "await old workers"
    case .readServers: "read servers"
    case .watchRequests: "watch requests"
    }
  }
}

extension [ServerID] {
  fileprivate var told: String { map(\.description).joined(separator: " ") }
}
