package import Fleet
package import HAProxy
import Remote

/// What has to be done on one balancer, batch after batch. What haproxy.cfg holds after each step is
/// known here, so every step names the content it starts from and the one it ends with.
struct BalancerPlanning {
  private let balancer: Balancer
  private let request: Planner.Request
  private let process: HAProxyProcess
  private let original: [UInt8]
  private var document: Configuration
  private var chain: [[LineEdit]] = []
  /// Whether the batch in hand is applied to the running process by its stats socket, else by a
  /// reload. A server that the process does not know can only come by a reload.
  private var appliesAtRuntime = false

  /// The balancers that were seen and serve a chosen host; the inspector has named the others.
  static func all(_ request: Planner.Request) -> [BalancerPlanning] {
    request.inventory.balancers.compactMap { balancer in
      guard let observation = request.observation.balancers[balancer.name]?.observation,
        let process = observation.process,
        request.hosts.contains(where: { !request.targets(of: $0, on: balancer).isEmpty })
      else { return nil }
      return BalancerPlanning(
        balancer: balancer,
        request: request,
        process: process,
        original: observation.fileBytes,
        document: Configuration(observation.fileBytes)
      )
    }
  }

  private init(
    balancer: Balancer,
    request: Planner.Request,
    process: HAProxyProcess,
    original: [UInt8],
    document: Configuration
  ) {
    self.balancer = balancer
    self.request = request
    self.process = process
    self.original = original
    self.document = document
  }

  var change: ConfigurationChange? {
    guard document.bytes != original else { return nil }
    return ConfigurationChange(
      balancer: balancer.name,
      path: process.configuration,
      before: original,
      after: document.bytes
    )
  }

  // MARK: Before any traffic moves

  /// Checks every content that the file will have, while the hosts are being prepared.
  var validation: [Step] {
    guard !chain.isEmpty else { return [] }
    return [
      step(.validateEdits(count: chain.count), process.validate(chain), for: request.hosts)
    ]
  }

  /// Can the balancer reach the port that its requests are to go to?
  func probes(of hosts: [Host]) -> [Step] {
    let targets = hosts.flatMap { request.targets(of: $0, on: balancer) }
    let probed = targets.compactMap { target in
      target.destination(for: request.wish).map { port in
        ProbeTarget(
          host: target.route.listenAddress,
          port: port,
          choosesClients: !target.route.allow.isEmpty
        )
      }
    }
    guard !probed.isEmpty else { return [] }
    return [
      step(
        .probe(probed.map(\.description)),
        process.probe(probed, deadline: balancer.timeouts.connect),
        for: hosts
      )
    ]
  }

  // MARK: One batch

  /// Adds what this balancer has to do for a batch to the batch's lanes.
  ///
  /// - Parameter restarting: a host whose proxy is restarted is taken out and put back although its
  ///   line stays as it is.
  mutating func plan(
    _ batch: [Host],
    restarting: [HostPlanning],
    into lanes: inout BatchLanes
  ) throws(Finding) {
    let targets = batch.flatMap { host in
      let isRestarted = restarting.contains {
        $0.host.name == host.name && !$0.restartInSwitch.isEmpty
      }
      return request.targets(of: host, on: balancer).filter {
        isRestarted || !$0.isSettled(for: request.wish)
      }
    }
    guard !targets.isEmpty else { return }
    appliesAtRuntime =
      balancer.appliesAtRuntime(process) && targets.allSatisfy { $0.running != nil }
    let ids = targets.map(\.id)
    // What is down carries nothing, so that nobody else has to.
    let carrying = targets.filter { $0.running?.takesRequests == true }
    let guarded = Set(carrying.map(\.id.backend)).sorted().map { backend in
      ServerExpectation.anotherUp(backend: backend, besides: ids)
    }
    let looked = request.wish == .putBack ? [] : guarded
    lanes.look.append([step(.readServers(looked), process.readServers(), for: batch)])
    if request.wish != .putBack {
      planRemoval(targets, for: batch, try edits(targets, Configuration.removing), into: &lanes)
    }
    if request.wish != .takenOut {
      planReturn(
        targets,
        for: batch,
        moved: try edits(targets, moving),
        added: try edits(targets, Configuration.adding),
        into: &lanes
      )
    }
    let expected = targets.map { target in
      request.wish == .takenOut
        ? ServerExpectation.outOfService(target.id)
        : .inService(target.id, port: target.port(for: request.wish) ?? target.line?.port)
    }
    let verify =
      request.wish == .enabled
      ? step(
        .watchRequests(expected),
        process.watchRequests(ids, deadline: balancer.timeouts.verify),
        for: batch
      )
      : step(.readServers(expected), process.readServers(), for: batch)
    lanes.verify.append([verify])
  }

  // MARK: After the traffic has moved away

  /// Workers of before a reload know nothing of the edits and may still send requests the old way.
  var lastWorkers: [Step] {
    guard process.masterSocket != nil else { return [] }
    return [
      step(
        .awaitOldWorkers,
        process.awaitOldWorkers(deadline: balancer.timeouts.drain),
        for: request.hosts
      )
    ]
  }
}

// MARK: -

extension BalancerPlanning {
  /// An edit of the file and the contents it lies between.
  private struct Edited {
    var edits: [LineEdit]
    var from: String
    var to: String
  }

  /// Makes an edit per target and follows the document through them.
  private mutating func edits(
    _ targets: [ServerTarget],
    _ edit: (Configuration, ServerTarget) throws(EditRefusal) -> LineEdit?
  ) throws(Finding) -> Edited {
    let from = request.digest(document.bytes)
    var made: [LineEdit] = []
    for target in targets {
      do throws(EditRefusal) {
        guard let line = try edit(document, target) else { continue }
        document = try document.applying(line)
        made.append(line)
      } catch {
        throw Finding(balancer.name, .blocking, .serverRefused(target.id, error))
      }
    }
    if !made.isEmpty { chain.append(made) }
    return Edited(edits: made, from: from, to: request.digest(document.bytes))
  }

  private func moving(
    _ document: Configuration,
    _ target: ServerTarget
  ) throws(EditRefusal) -> LineEdit? {
    guard let port = target.port(for: request.wish) else { return nil }
    return try document.rewriting(target.id, port: port)
  }

  private func planRemoval(
    _ targets: [ServerTarget],
    for batch: [Host],
    _ edited: Edited,
    into lanes: inout BatchLanes
  ) {
    let ids = targets.map(\.id)
    // What a cut-off run left out of service is not drained, and not put into service by an undo.
    let inRotation = targets.filter { $0.running?.isReady == true }
    let serving = inRotation.filter(endsItsSessions).map(\.id)
    if appliesAtRuntime, !serving.isEmpty {
      lanes.drain.append([
        step(
          .drain(serving),
          process.drain(serving, deadline: balancer.timeouts.drain),
          for: batch,
          undo: [.init(.undrain(serving), undrain(serving))]
        )
      ])
    }
    lanes.remove.append(
      apply(
        .remove(ids),
        edited,
        ids.map { .maintenance($0) },
        for: batch,
        undo: .add(ids),
        inRotation.map { $0.running?.takesRequests == true ? ready($0.id) : .inRotation($0.id) }
      )
    )
  }

  /// Sessions of what is down, or of a host that may be dead, may last for ever. Maintenance leaves them as they are, and
  /// only enabling may restart a proxy under them.
  private func endsItsSessions(_ target: ServerTarget) -> Bool {
    request.wish == .enabled
      || (target.running?.takesRequests == true
        && request.observation.hosts[target.host]?.observation != nil)
  }

  private func planReturn(
    _ targets: [ServerTarget],
    for batch: [Host],
    moved: Edited,
    added: Edited,
    into lanes: inout BatchLanes
  ) {
    let ids = targets.map(\.id)
    let ports = targets.map { target in
      (id: target.id, new: target.port(for: request.wish), old: target.line?.port)
    }
    if request.wish != .putBack {
      lanes.rewrite.append(
        apply(
          .rewrite(ids, ports: ports.compactMap(\.new)),
          moved,
          ports.compactMap { entry in entry.new.map { .address(entry.id, port: $0) } },
          for: batch,
          undo: .rewrite(ids, ports: ports.compactMap(\.old)),
          ports.compactMap { entry in entry.old.map { .address(entry.id, port: $0) } }
        )
      )
    }
    var steps = apply(
      .add(ids),
      added,
      ids.map { ready($0) },
      for: batch,
      undo: .remove(ids),
      ids.map { .maintenance($0) }
    )
    if appliesAtRuntime, !steps.isEmpty {
      let drain = process.drain(ids, deadline: balancer.timeouts.drain)
      steps[0].undo.insert(.init(.drain(ids), drain), at: 0)
    }
    lanes.add.append(steps)
  }

  /// The file and the running process, changed together: in one script where the stats socket
  /// allows it, else by a reload.
  private func apply(
    _ act: Act,
    _ edited: Edited,
    _ runtime: [RuntimeChange],
    for batch: [Host],
    undo: Act,
    _ undoing: [RuntimeChange]
  ) -> [Step] {
    let changes = appliesAtRuntime ? runtime : []
    guard !edited.edits.isEmpty || !changes.isEmpty else { return [] }
    let back = process.takeBack(edited.edits, runtime: appliesAtRuntime ? undoing : [])
    var steps = [
      step(
        act,
        process.edit(
          edited.edits,
          from: edited.from,
          to: edited.to,
          validation: .alreadyPassed,
          runtime: changes
        ),
        for: batch,
        undo: [.init(undo, back)]
      )
    ]
    if !appliesAtRuntime, act.needsReload {
      steps[0].undo.append(.init(.reload, reload(expecting: edited.from)))
      steps.append(step(.reload, reload(expecting: edited.to), for: batch))
    }
    return steps
  }

  private func ready(_ id: ServerID) -> RuntimeChange {
    .ready(id, deadline: balancer.timeouts.ready)
  }

  private func undrain(_ ids: [ServerID]) -> RemoteCommand {
    process.undrain(ids, deadline: balancer.timeouts.ready)
  }

  private func reload(expecting digest: String) -> RemoteCommand {
    process.reload(
      expecting: digest,
      custom: balancer.reloadCommand,
      deadline: balancer.timeouts.ready
    )
  }

  private func step(
    _ act: Act,
    _ command: RemoteCommand,
    for hosts: [Host],
    undo: [Step.Undo] = []
  ) -> Step {
    Step(
      machine: balancer.name,
      hosts: hosts.map(\.name),
      act: act,
      command: command,
      undo: undo
    )
  }
}

extension Configuration {
  fileprivate static func removing(
    _ document: Configuration,
    _ target: ServerTarget
  ) throws(EditRefusal) -> LineEdit? {
    try document.removing(target.id)
  }

  fileprivate static func adding(
    _ document: Configuration,
    _ target: ServerTarget
  ) throws(EditRefusal) -> LineEdit? {
    try document.adding(target.id)
  }
}

extension Balancer {
  /// Whether edits reach the running process through the stats socket: asked for, or possible and
  /// not forbidden.
  package func appliesAtRuntime(_ process: HAProxyProcess) -> Bool {
    switch applying {
    case .automatic: process.statsSocket != nil
    case .runtime: true
    case .reload: false
    }
  }
}

extension Act {
  /// A line that stays a comment changes nothing that HAProxy reads.
  fileprivate var needsReload: Bool {
    switch self {
    case .remove, .add: true
    default: false
    }
  }
}
