import Fleet
import HAProxy
import Rollout

/// What duplexctl says in whole sentences about a run. The only place where they are made.
enum Sentences {
  static func surveying(_ hosts: [Host], _ balancers: [Balancer], inventory: String) -> String {
    let behind = balancers.isEmpty ? "" : " behind \(list(balancers.map(\.name.text)))"
    return "Looking at \(list(hosts.map(\.name.text)))\(behind) (\(inventory))"
  }

  static func refused(_ wish: Wish) -> String {
    let hasLimit = wish == .enabled || wish == .disabled || wish.changesRunningProxies
    return "Nothing was changed: what is above would make this fail later."
      + (hasLimit ? " Put it right, or leave hosts out with --limit." : "")
  }

  static func question(_ plan: Plan) -> String {
    let batches = plan.phases.filter { $0.kind == .switch }.map { list($0.hosts) }
    let turns = batches.count > 1 ? ", traffic in turn: \(batches.joined(separator: " | "))" : ""
    let files = plan.configurationChanges.map { "\($0.path) on \($0.balancer)" }
    let edits = files.isEmpty ? "" : ", editing \(list(files))"
    return "\(verb(plan.wish).capitalisedFirst) \(list(plan.hosts))\(turns)\(edits)? [y/N] "
  }

  static let interrupted =
    "Interrupted: finishing the step in hand, then putting back what is half done. "
    + "Once more ends at once and leaves it as it is."

  /// A command to type, with the inventory where the operator named one.
  static func command(_ words: String, inventory: String?) -> String {
    "duplexctl \(words)" + (inventory.map { " -i \($0)" } ?? "")
  }

  /// - Parameter inventory: as the operator named it; nil where it was found.
  static func left(_ plan: Plan, journal: String, inventory: String?) -> String {
    let back =
      switch plan.wish {
      case .takenOut, .putBack: "haproxy add HOST"
      case .upgraded: "proxy upgrade HOST"
      case .reloaded: "proxy reload HOST"
      case .enabled, .disabled, .rolledBack: "rollout rollback HOST"
      }
    return "Ended in the middle, and what is half done stays so. Which hosts: "
      + "\(command("rollout status", inventory: inventory)). To put one back: "
      + "\(command(back, inventory: inventory)). Journal: \(journal)"
  }

  static func verb(_ wish: Wish) -> String {
    switch wish {
    case .enabled: "enable"
    case .disabled: "disable"
    case .rolledBack: "roll back"
    case .takenOut: "take out"
    case .putBack: "put back"
    case .upgraded: "upgrade the proxy of"
    case .reloaded: "reload the proxy of"
    }
  }

  static func result(_ result: HostResult, wish: Wish) -> String {
    switch result {
    case .done:
      switch wish {
      case .enabled: "enabled"
      case .disabled: "disabled"
      case .rolledBack: "rolled back"
      case .takenOut: "taken out"
      case .putBack: "put back"
      case .upgraded: "upgraded"
      case .reloaded: "reloaded"
      }
    case .undone(nil): "put back as it was"
    case .undone: "failed, put back as it was"
    case .needsHands: "NEEDS HANDS"
    case .notReached: "not reached"
    case .unfinished: "traffic moved, proxy still runs: run again"
    }
  }

  /// A failure: which machine, doing what, what was seen, what to do.
  static func failure(_ failure: StepFailure) -> String {
    let others = failure.hosts.filter { $0 != failure.machine }.map(\.text)
    let behalf = others.isEmpty ? "" : " for \(list(others))"
    let seen = failure.seen.isEmpty ? "" : " It said: \(failure.seen)"
    return "\(failure.machine): \(doing(failure.act))\(behalf) failed: "
      + "\(reason(failure.reason)).\(seen)"
  }

  /// What a person has to do about a host that is neither as wished nor as it was.
  static func hands(_ host: MachineName, inventory: String?) -> String {
    "\(host) needs hands. Look: \(command("rollout status --limit \(host)", inventory: inventory)). "
      + "Then put it back: \(command("rollout rollback \(host)", inventory: inventory))"
  }

  private static func reason(_ reason: StepFailure.Reason) -> String {
    switch reason {
    case .refused: "it was refused"
    case .timedOut: "it did not end in time"
    case .unreachable: "the machine could not be reached"
    case .fileChangedByOthers:
      "haproxy.cfg is not what it was when the plan was made: somebody changed it. "
        + "The file was left as it is"
    case .invalidConfiguration: "the configuration would not be valid"
    case .transferDamaged: "what arrived is not what was sent"
    case .neverHealthy: "the proxy did not become healthy"
    case .notRunning: "the process was not seen running"
    case .monitNotRunning: "monit does not run there: start it, then run this again"
    case .stillRunning: "the process is still there"
    case .sessionsLeft: "connections were still open at the deadline; raise timeouts.drain"
    case .notReachableFromBalancer: "the port cannot be reached from the balancer"
    case .trafficGoesPast:
      "HAProxy sent requests to the server, but no byte came through the proxy: something else "
        + "answers at its address and port. Look at routes and address translation between them"
    case .stateDiffers: "HAProxy's state is not what it should be"
    case .oldWorkersLeft:
      "workers of before a reload still serve connections that may use the proxy; "
        + "it is left running. Run again later, or raise timeouts.drain"
    case .unexpectedAnswer: "the answer could not be understood"
    }
  }

  /// An act in progress: `draining app/app1`.
  static func doing(_ act: Act) -> String {
    switch act {
    case .uploadExecutable: "uploading the proxy"
    case .removeExecutable: "removing the uploaded proxy"
    case .installFiles: "installing the proxy's files"
    case .restoreFiles: "restoring the proxy's files"
    case .checkConfiguration: "checking the proxy's configuration"
    case .reloadMonit: "reloading monit"
    case .startProxy: "starting the proxy"
    case .restartProxy: "restarting the proxy"
    case .upgradeProxy: "changing the running proxy"
    case .reloadProxy: "having the running proxy read its configuration"
    case .stopProxy: "stopping the proxy"
    case .awaitHealth: "waiting until the proxy is healthy"
    case .lookAgain: "looking again whether the proxy is healthy"
    case .awaitTraffic: "watching for traffic through the proxy"
    case .awaitIdle: "waiting until no connection is open through the proxy"
    case .validateEdits(let count): "checking \(count) future contents of haproxy.cfg"
    case .probe(let ports): "connecting to \(list(ports))"
    case .drain(let ids): "draining \(list(ids))"
    case .undrain(let ids): "putting back \(list(ids))"
    case .remove(let ids): "removing \(list(ids))"
    case .rewrite(let ids, let ports): "pointing \(list(ids)) at port \(list(ports))"
    case .add(let ids): "adding \(list(ids))"
    case .reload: "reloading HAProxy"
    case .awaitOldWorkers: "waiting for HAProxy's old workers"
    case .readServers: "reading HAProxy's servers"
    case .watchRequests: "reading HAProxy's servers and their requests"
    }
  }

  /// An act that has been done, for the column `changed`; nil for mere looking.
  static func done(_ act: Act) -> String? {
    switch act {
    case .uploadExecutable: "deployed"
    case .installFiles: "configured"
    case .startProxy: "started"
    case .restartProxy: "restarted"
    case .upgradeProxy: "upgraded"
    case .reloadProxy: "reloaded"
    case .stopProxy: "stopped"
    case .rewrite(_, let ports): "port → \(list(ports))"
    case .remove(let ids): "\(list(ids)) out"
    case .add(let ids): "\(list(ids)) in"
    default: nil
    }
  }

  static func list(_ words: [some CustomStringConvertible]) -> String {
    words.map(\.description).joined(separator: ", ")
  }
}

extension String {
  fileprivate var capitalisedFirst: String { prefix(1).uppercased() + dropFirst() }
}
