package import Fleet

/// From an observation and a wish to a plan, or to everything that stands in its way.
package struct Planner: Sendable {
  let request: Request

  package init(_ request: Request) {
    self.request = request
  }

  /// All that a plan depends on.
  package struct Request: Sendable {
    package var inventory: Inventory
    /// In the order in which they are to be switched.
    package var hosts: [Host]
    package var batch: Inventory.BatchSize
    package var wish: Wish
    /// What is deployed on each host.
    package var payloads: [MachineName: Payload]
    package var observation: FleetObservation
    /// SHA-256 as lower-case hex.
    package var digest: @Sendable ([UInt8]) -> String

    package init(
      inventory: Inventory,
      hosts: [Host],
      batch: Inventory.BatchSize,
      wish: Wish,
      payloads: [MachineName: Payload],
      observation: FleetObservation,
      digest: @escaping @Sendable ([UInt8]) -> String
    ) {
      self.inventory = inventory
      self.hosts = hosts
      self.batch = batch
      self.wish = wish
      self.payloads = payloads
      self.observation = observation
      self.digest = digest
    }
  }

  /// The proxy's executable and the rendered files of one host.
  package struct Payload: Sendable, Hashable {
    package var executable: Executable
    package var files: [HostFile]

    package init(executable: Executable, files: [HostFile]) {
      self.executable = executable
      self.files = files
    }
  }

  /// A plan, with the hosts that need nothing and the warnings; or why there is none.
  package enum Answer: Sendable, Hashable {
    case plan(Plan, unchanged: [MachineName], warnings: [Finding])
    case refused([Finding])
  }

  package func answer() -> Answer {
    let findings = Inspector(request).findings()
    guard !findings.contains(where: { $0.severity == .blocking }) else {
      return .refused(findings)
    }
    do throws(Finding) {
      let plan = try self.plan()
      let busy = Set(plan.hosts)
      let unchanged = request.hosts.map(\.name).filter { !busy.contains($0) }
      return .plan(plan, unchanged: unchanged, warnings: findings)
    } catch {
      return .refused(findings + [error])
    }
  }

  private func plan() throws(Finding) -> Plan {
    let hostPlans = request.hosts.compactMap { host in HostPlanning(host, request) }
    if request.wish.changesRunningProxies { return change(hostPlans) }
    // A host that could not be seen, and need not be, has its server lines all the same.
    let restarting = Set(hostPlans.filter { !$0.restartInSwitch.isEmpty }.map(\.host.name))
    let switching = request.hosts.filter { host in
      restarting.contains(host.name) || !request.isSettled(host)
    }
    var balancers = BalancerPlanning.all(request)
    var switches: [Phase] = []
    for batch in request.batch.batches(of: switching) {
      let names = batch.map(\.name)
      var lanes = BatchLanes()
      for index in balancers.indices {
        try balancers[index].plan(batch, restarting: hostPlans, into: &lanes)
      }
      for plan in hostPlans where names.contains(plan.host.name) {
        lanes.restart.append(plan.restartInSwitch)
        lanes.look.append(plan.look)
        lanes.traffic.append(plan.traffic)
      }
      switches.append(Phase(.switch, hosts: names, stages: lanes.stages))
    }

    let prepared = Set(hostPlans.filter { !$0.prepare.isEmpty }.map(\.host.name))
      .union(switching.map(\.name))
    let prepare = Phase(
      .prepare,
      hosts: request.hosts.map(\.name).filter(prepared.contains),
      stages: [
        Stage(lanes: hostPlans.map(\.prepare) + balancers.map(\.validation)),
        Stage(lanes: balancers.map { $0.probes(of: switching) }),
      ]
    )
    let retiring = hostPlans.filter { !$0.retire.isEmpty }
    let retire = Phase(
      .retire,
      hosts: retiring.map(\.host.name),
      stages: [
        Stage(lanes: retiring.isEmpty ? [] : balancers.map(\.lastWorkers)),
        Stage(lanes: retiring.map(\.retire)),
      ]
    )
    return Plan(
      wish: request.wish,
      phases: ([prepare] + switches + [retire]).compactMap(\.trimmed),
      configurationChanges: balancers.compactMap(\.change)
    ).numbered
  }
}

extension Planner {
  /// Executables go to all hosts at once, which changes nothing; then batch after batch takes them on, so that one
  /// that does not work stays with the first.
  private func change(_ hostPlans: [HostPlanning]) -> Plan {
    let outdated = hostPlans.filter(\.needsChange)
    let names = outdated.map(\.host.name)
    let prepare = Phase(
      .prepare,
      hosts: names,
      stages: [Stage(lanes: outdated.map(\.deliver))]
    )
    let balancers = BalancerPlanning.all(request)
    let switches = request.batch.batches(of: outdated.map(\.host)).map { batch in
      let names = batch.map(\.name)
      let lanes = outdated.filter { names.contains($0.host.name) }.map(\.change)
      // A proxy may be healthy and turn its balancers away.
      let probes = balancers.map { $0.probes(of: batch) }
      return Phase(.switch, hosts: names, stages: [Stage(lanes: lanes), Stage(lanes: probes)])
    }
    return Plan(
      wish: request.wish,
      phases: ([prepare] + switches).compactMap(\.trimmed)
    ).numbered
  }
}

/// The lanes of one batch, by what they are for; their order is the runbook.
struct BatchLanes {
  /// Are the hosts still prepared, and is there another server to carry the traffic?
  var look: [[Step]] = []
  var drain: [[Step]] = []
  var remove: [[Step]] = []
  /// The proxy is restarted while nothing comes to it.
  var restart: [[Step]] = []
  var rewrite: [[Step]] = []
  var add: [[Step]] = []
  var verify: [[Step]] = []
  var traffic: [[Step]] = []

  var stages: [Stage] {
    [look, drain, remove, restart, rewrite, add, verify, traffic].map(Stage.init(lanes:))
  }
}

extension Phase {
  /// Without empty lanes and stages; nil where nothing is left.
  fileprivate var trimmed: Phase? {
    var phase = self
    phase.stages = stages.map { Stage(lanes: $0.lanes.filter { !$0.isEmpty }) }
      .filter { !$0.lanes.isEmpty }
    return phase.stages.isEmpty ? nil : phase
  }
}

extension Plan {
  /// Steps numbered from 1 in the plan's order.
  fileprivate var numbered: Plan {
    var plan = self
    var number = 0
    for phase in plan.phases.indices {
      for stage in plan.phases[phase].stages.indices {
        for lane in plan.phases[phase].stages[stage].lanes.indices {
          for step in plan.phases[phase].stages[stage].lanes[lane].indices {
            number += 1
            plan.phases[phase].stages[stage].lanes[lane][step].number = number
          }
        }
      }
    }
    return plan
  }
}
