import Fleet
import HAProxy

/// What balancers show, and what stands in the way of moving their traffic.
extension Inspector {
  func findings(of balancer: Balancer) -> [Finding] {
    guard request.wish.changesRunningProxies else { return switchFindings(balancer) }
    guard let observation = request.observation.balancers[balancer.name]?.observation,
      observation.isRoot, observation.process != nil, !observation.servers.isEmpty
    else { return [Finding(balancer.name, .warning, .trafficUnseen)] }
    return request.hosts.flatMap { request.targets(of: $0, on: balancer) }.compactMap { target in
      guard target.running?.isReady == true, let line = target.line else { return nil }
      return portFindings(target, line).map { Finding(balancer.name, .blocking, $0) }
    }
  }

  private func switchFindings(_ balancer: Balancer) -> [Finding] {
    let observation: BalancerObservation
    switch request.observation.balancers[balancer.name] {
    case .seen(let seen): observation = seen
    case .unreachable(let error):
      return [Finding(balancer.name, .blocking, .unreachable(error))]
    case .unreadable(let result):
      return [Finding(balancer.name, .blocking, unreadable(result, sudo: balancer.ssh.sudo))]
    case nil: return []
    }
    guard observation.isRoot else {
      return [Finding(balancer.name, .blocking, .notRoot(sudo: balancer.ssh.sudo))]
    }
    guard let process = observation.process else {
      return [
        Finding(
          balancer.name,
          .blocking,
          observation.lacksSocketClient ? .noSocketClient : .haproxyNotRunning
        )
      ]
    }
    guard !observation.servers.isEmpty else {
      let kind = Finding.Kind.serversUnseen(
        stats: observation.statsSocketProblem ?? "no answer",
        master: observation.masterSocketProblem ?? "no answer"
      )
      return [Finding(balancer.name, .blocking, kind)]
    }
    return processFindings(balancer, observation, process)
      + request.hosts.flatMap { host in
        request.targets(of: host, on: balancer).flatMap { serverFindings($0, host) }
      } + lastServerFindings(balancer, observation)
  }

  private func processFindings(
    _ balancer: Balancer,
    _ observation: BalancerObservation,
    _ process: HAProxyProcess
  ) -> [Finding] {
    var findings: [Finding] = []
    func add(_ severity: Finding.Severity, _ kind: Finding.Kind) {
      findings.append(Finding(balancer.name, severity, kind))
    }
    if let error = observation.configurationError { add(.blocking, .configurationInvalid(error)) }
    let appliesAtRuntime = balancer.appliesAtRuntime(process)
    if observation.unloadedEdits {
      // At runtime nothing of the file is loaded, so that a rollback need not wait for them.
      let isHarmless = request.wish == .rolledBack && appliesAtRuntime
      add(isHarmless ? .warning : .blocking, .unloadedEdits(path: process.configuration))
    }
    // Where it was asked for it must be there; where it was hoped for, a reload will do.
    let isHopedFor = balancer.applying == .automatic && balancer.statsSocket != nil
    if process.statsSocket == nil, appliesAtRuntime || isHopedFor {
      add(
        appliesAtRuntime ? .blocking : .warning,
        .statsSocketUnusable(
          path: balancer.statsSocket,
          reason: observation.statsSocketProblem ?? "not configured"
        )
      )
    }
    if !appliesAtRuntime { findings += reloadFindings(balancer, observation, process) }
    if request.wish == .enabled {
      let document = Configuration(observation.fileBytes)
      for backend in backends(of: balancer) where !document.checksContent(backend: backend.text) {
        add(.warning, .checkEndsAtProxy(backend))
      }
    }
    return findings
  }

  private func reloadFindings(
    _ balancer: Balancer,
    _ observation: BalancerObservation,
    _ process: HAProxyProcess
  ) -> [Finding] {
    var findings: [Finding] = []
    if !observation.isMasterWorker || process.masterSocket == nil {
      let reason =
        observation.isMasterWorker
        ? observation.masterSocketProblem ?? "the inventory names no master socket"
        : "HAProxy does not run in master-worker mode (-W)"
      findings.append(Finding(balancer.name, .blocking, .reloadImpossible(reason)))
    }
    let document = Configuration(observation.fileBytes)
    let missing = Set(
      balancer.backends.flatMap { document.missingReloadOptions(backend: $0.text) }
    )
    if !missing.isEmpty {
      findings.append(
        Finding(
          balancer.name,
          .warning,
          .reloadMayLoseRequests(missingOptions: missing.sorted())
        )
      )
    }
    return findings
  }

  private func serverFindings(_ target: ServerTarget, _ host: Host) -> [Finding] {
    func blocking(_ kind: Finding.Kind) -> [Finding] {
      [Finding(target.balancer.name, .blocking, kind)]
    }
    guard let observation = request.observation.balancers[target.balancer.name]?.observation else {
      return []
    }
    do throws(EditRefusal) {
      let line = try Configuration(observation.fileBytes).server(target.id)
      return runningFindings(target)
        ?? portFindings(target, line).map(blocking) ?? warnings(target, line)
    } catch {
      return blocking(.serverRefused(target.id, error))
    }
  }

  private func portFindings(_ target: ServerTarget, _ line: ServerLine) -> Finding.Kind? {
    let route = target.route
    if request.wish == .takenOut || request.wish == .putBack { return nil }
    guard line.port == route.directPort || line.port == route.listenPort else {
      return .serverPortUnexpected(
        target.id,
        port: line.port,
        direct: route.directPort,
        listen: route.listenPort,
        line: line.line
      )
    }
    // A name may well resolve to the address: the balancer's probe of the port will tell.
    if let host = line.host, host.isAddressLiteral, route.listenAddress.isSpecific,
      host != route.listenAddress
    {
      return .serverAddressDiffers(
        target.id,
        address: host,
        listen: route.listenAddress,
        line: line.line
      )
    }
    return nil
  }

  private func runningFindings(_ target: ServerTarget) -> [Finding]? {
    let isOurs = target.line?.state == .disabled
    guard let running = target.running else {
      // What a run that was cut off before a reload left behind comes back by a reload.
      let observation = request.observation.balancers[target.balancer.name]?.observation
      let isWrittenByUs = observation.map { $0.lastWritten == $0.sha256 } ?? false
      return isOurs || isWrittenByUs
        ? returnFindings(target)
        : [Finding(target.balancer.name, .blocking, .serverNotRunning(target.id))]
    }
    let mayBeOut = request.wish == .rolledBack || request.wish == .putBack || isOurs
    guard running.isReady || mayBeOut else {
      return [
        Finding(
          target.balancer.name,
          .blocking,
          .serverDrained(target.id, host: target.host, state: running.status)
        )
      ]
    }
    return nil
  }

  /// What stands in the way of the reload that brings a server back; nil where nothing does.
  private func returnFindings(_ target: ServerTarget) -> [Finding]? {
    guard let observation = request.observation.balancers[target.balancer.name]?.observation,
      let process = observation.process, target.balancer.appliesAtRuntime(process)
    else { return nil }
    let findings = reloadFindings(target.balancer, observation, process)
      .filter { $0.severity == .blocking }
    return findings.isEmpty ? nil : findings
  }

  private func warnings(_ target: ServerTarget, _ line: ServerLine) -> [Finding] {
    var kinds: [Finding.Kind] = []
    // A rollback and `haproxy add` are asked to put it back; who enables or disables may not know.
    if line.state == .disabled, request.wish == .enabled || request.wish == .disabled {
      kinds.append(.serverTakenOut(target.id, line: line.line))
    }
    if let port = line.checkPort, port != target.route.listenPort, request.wish == .enabled {
      kinds.append(.checkBypassesProxy(target.id, checkPort: port, line: line.line))
    }
    return kinds.map { Finding(target.balancer.name, .warning, $0) }
  }

  /// A batch must leave a server that is up in every backend it touches.
  private func lastServerFindings(
    _ balancer: Balancer,
    _ observation: BalancerObservation
  ) -> [Finding] {
    guard request.wish != .putBack else { return [] }
    var findings: [Finding] = []
    let moving = request.hosts.filter { host in
      request.targets(of: host, on: balancer).contains { !$0.isSettled(for: request.wish) }
    }
    // What an earlier batch puts back into service will be there by then, and is looked for then.
    var returned: Set<ServerID> = []
    for batch in request.batch.batches(of: moving) {
      defer {
        if request.wish != .takenOut {
          returned.formUnion(batch.flatMap { request.targets(of: $0, on: balancer) }.map(\.id))
        }
      }
      let targets = batch.flatMap { request.targets(of: $0, on: balancer) }
      let ids = Set(targets.map(\.id))
      // What is down carries nothing: in a total outage this would bar the way back.
      for target in targets where target.running?.takesRequests == true {
        let others = observation.servers.filter {
          $0.id.backend == target.id.backend && !ids.contains($0.id)
        }
        if !others.contains(where: { $0.takesRequests || returned.contains($0.id) }) {
          findings.append(Finding(balancer.name, .blocking, .lastServerUp(target.id)))
        }
      }
    }
    return findings
  }
}

extension String {
  /// It looks like an IP address, not like a name.
  fileprivate var isAddressLiteral: Bool {
    contains(":") || allSatisfy { $0.isNumber || $0 == "." }
  }

  /// It is one address, not all of the machine's.
  fileprivate var isSpecific: Bool { self != "0.0.0.0" && self != "::" }
}
