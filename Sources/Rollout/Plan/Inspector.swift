import Fleet
import Monit
import Remote

/// Everything in an observation that would make a run fail later, and what it would not do as the
/// operator may think: all at once, before anything is touched.
package struct Inspector: Sendable {
  let request: Planner.Request

  package init(_ request: Planner.Request) {
    self.request = request
  }

  /// In the order of the inventory, balancers last.
  package func findings() -> [Finding] {
    request.hosts.flatMap(findings(of:)) + balancers.flatMap(findings(of:))
  }

  /// Where nothing at all was said, it was sudo that did not let the script begin.
  func unreadable(_ result: CommandResult, sudo: Bool) -> Finding.Kind {
    sudo && result.output.isEmpty ? .sudoRefused(result.seen) : .unreadable(result.seen)
  }

  func backends(of balancer: Balancer) -> [BackendName] {
    let fed = Set(request.hosts.flatMap(\.routes).map(\.backend))
    return balancer.backends.filter(fed.contains)
  }

  private var balancers: [Balancer] {
    request.inventory.balancers.filter { !backends(of: $0).isEmpty }
  }
}

// MARK: - Hosts

extension Inspector {
  private func findings(of host: Host) -> [Finding] {
    let isCopying = request.wish == .enabled || request.wish.changesRunningProxies
    return sightingFindings(host) + (isCopying ? copyFindings(host) : [])
  }

  private func sightingFindings(_ host: Host) -> [Finding] {
    // To take a host out of HAProxy nothing is done on it: it may be dead, or half dead.
    let severity: Finding.Severity = request.wish == .takenOut ? .warning : .blocking
    let sighting: HostSighting
    switch request.observation.hosts[host.name] {
    case .seen(let seen): sighting = seen
    case .unreachable(let error):
      return [
        Finding(host.name, error.code.isDoubt ? .blocking : severity, .unreachable(error))
      ]
    case .unreadable(let result):
      return [Finding(host.name, severity, unreadable(result, sudo: host.ssh.sudo))]
    case nil: return []
    }
    guard sighting.host.isRoot else {
      return [Finding(host.name, severity, .notRoot(sudo: host.ssh.sudo))]
    }
    if request.wish.changesRunningProxies { return changeFindings(host, sighting) }
    guard request.wish == .enabled else { return stopFindings(host, sighting) }
    return
      (machineKinds(host, sighting.host) + portKinds(host, sighting.host)
      + monitKinds(host, sighting.monit)).map { Finding(host.name, .blocking, $0) }
      + shutOutFindings(host)
      + sighting.host.deafShadows.map { Finding(host.name, .warning, .shadowUnreachable($0)) }
  }

  private func changeFindings(_ host: Host, _ sighting: HostSighting) -> [Finding] {
    let kinds =
      sighting.host.process == nil
      ? [.proxyNotRunning]
      : machineKinds(host, sighting.host) + deafPrimaryKinds(host, sighting.host)
        + monitKinds(host, sighting.monit)
    return kinds.map { Finding(host.name, .blocking, $0) } + shutOutFindings(host)
  }

  /// Only a warning, as a balancer may have more addresses than the one it is managed by, and is asked to connect before
  /// traffic moves. Where requests come already, that is too late for a new `allow`. Names of balancers say nothing.
  private func shutOutFindings(_ host: Host) -> [Finding] {
    let isTooLate =
      request.wish.changesRunningProxies
      && HostPlanning(host, request)?.changesConfiguration == true
    return host.routes.filter { !$0.allow.isEmpty }.compactMap { route in
      let shutOut = request.inventory.balancers.filter { balancer in
        let address = balancer.ssh.address
        return balancer.backends.contains(route.backend) && IPLiteral.isValid(address)
          && !route.allow.contains { $0.contains(address) }
      }
      guard !shutOut.isEmpty else { return nil }
      return Finding(
        host.name,
        isTooLate ? .blocking : .warning,
        .balancersNotAllowed(route.name, shutOut.map(\.name))
      )
    }
  }

  /// What would keep monit from stopping the proxy. A rollback goes as far as it can.
  private func stopFindings(_ host: Host, _ sighting: HostSighting) -> [Finding] {
    guard request.wish == .disabled || request.wish == .rolledBack,
      sighting.host.process != nil || sighting.monit.isSupervising
    else { return [] }
    return monitKinds(host, sighting.monit).map {
      Finding(host.name, request.wish == .rolledBack ? .warning : .blocking, $0)
    }
  }

  private func machineKinds(_ host: Host, _ observation: HostObservation) -> [Finding.Kind] {
    var kinds: [Finding.Kind] = []
    if request.wish != .reloaded, let executable = request.payloads[host.name]?.executable,
      executable.architecture != observation.architecture
    {
      kinds.append(
        .wrongArchitecture(host: observation.architecture, executable: executable.architecture)
      )
    }
    if !observation.hasUser { kinds.append(.userMissing(host.proxy.user)) }
    if !observation.hasGroup { kinds.append(.groupMissing(host.proxy.group)) }
    if !observation.missingTools.isEmpty { kinds.append(.toolsMissing(observation.missingTools)) }
    return kinds
  }

  private func portKinds(_ host: Host, _ observation: HostObservation) -> [Finding.Kind] {
    guard !observation.missingTools.contains("ss") else { return [] }
    let own = observation.process?.pid
    let wanted = host.routes.map(\.listenPort) + [host.proxy.adminPort]
    let taken = wanted.compactMap { port -> Finding.Kind? in
      let stranger = observation.listeners.first { $0.port == port && !$0.isHeld(by: own) }
      return stranger.map { .portTaken(port: port, program: $0.program, pid: $0.pid) }
    }
    return taken + deafPrimaryKinds(host, observation)
  }

  private func deafPrimaryKinds(_ host: Host, _ observation: HostObservation) -> [Finding.Kind] {
    guard !observation.missingTools.contains("ss") else { return [] }
    let deaf = host.routes.filter { route in
      if let port = route.localPrimaryPort {
        return !observation.listeners.contains { $0.port == port }
      }
      return route.primarySocket.map { !observation.sockets.contains($0) } ?? false
    }
    return deaf.map { .primaryNotListening($0.primary) }
  }

  private func monitKinds(_ host: Host, _ observation: MonitObservation) -> [Finding.Kind] {
    observation.problems(placing: HostPaths(host.proxy).controlFile).map(Finding.Kind.monit)
  }
}

extension RemoteError.Code {
  /// Somebody may be in between, or the login is not what it was: not what a dead machine looks like.
  fileprivate var isDoubt: Bool {
    switch self {
    case .nameNotResolved, .unreachable, .timedOut, .connectionLost, .closed: false
    default: true
    }
  }
}
