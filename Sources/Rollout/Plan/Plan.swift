// Rollout: what is to be done to the fleet, decided from values alone. Observations in, a plan out;
// facts in, actions out. No await, no clock, no log, no file.

package import Fleet
package import Remote

/// The ordered steps of every chosen host. What a dry run prints is this value; what a run executes
/// is this value, and nothing else.
package struct Plan: Sendable, Hashable {
  package var wish: Wish
  package var phases: [Phase]
  /// What haproxy.cfg will look like on each balancer when the plan is through.
  package var configurationChanges: [ConfigurationChange]

  package init(wish: Wish, phases: [Phase], configurationChanges: [ConfigurationChange] = []) {
    self.wish = wish
    self.phases = phases
    self.configurationChanges = configurationChanges
  }

  package var steps: [Step] { phases.flatMap(\.steps) }
  package var isEmpty: Bool { phases.allSatisfy(\.steps.isEmpty) }

  /// The hosts that the plan changes anything for, in the order in which it gets to them.
  package var hosts: [MachineName] {
    var seen: Set<MachineName> = []
    return phases.flatMap(\.hosts).filter { seen.insert($0).inserted }
  }
}

/// What the operator wants of the chosen hosts.
package enum Wish: String, Sendable, Hashable, Codable {
  /// The proxy in the path of the host's traffic.
  case enabled
  /// The proxy out of the path, and stopped.
  case disabled
  /// As `disabled`, from whatever state a host is in: what a run that was cut off left behind, and
  /// servers that stand drained without a mark of ours, are put back too.
  case rolledBack
  /// Out of HAProxy's rotation, the server line marked; the proxy is not touched.
  case takenOut
  /// Back in HAProxy's rotation, at the port that the line has.
  case putBack
  /// The proxy that runs is of this release and has this configuration. HAProxy is not touched, and no
  /// connection is refused, or closed in the middle of something.
  case upgraded
  /// The proxy that runs has this configuration, of whatever release it is.
  case reloaded

  /// Whether it is about proxies that run and go on running: balancers are looked at, and not changed.
  package var changesRunningProxies: Bool { self == .upgraded || self == .reloaded }
}

/// A part of a plan in which a failure has one meaning.
package struct Phase: Sendable, Hashable {
  package var kind: Kind
  /// On whose behalf it runs.
  package var hosts: [MachineName]
  /// One after the other.
  package var stages: [Stage]

  package init(_ kind: Kind, hosts: [MachineName], stages: [Stage]) {
    self.kind = kind
    self.hosts = hosts
    self.stages = stages
  }

  package var steps: [Step] { stages.flatMap(\.lanes).flatMap(\.self) }

  package enum Kind: String, Sendable, Hashable, Codable {
    /// Every chosen host in parallel; moves no traffic.
    case prepare
    /// One batch: moves its traffic.
    case `switch`
    /// Every chosen host in parallel, after its traffic has moved away.
    case retire
  }
}

/// Lanes run at once, the steps of a lane one after the other. A machine has one lane in a stage.
package struct Stage: Sendable, Hashable {
  package var lanes: [[Step]]

  package init(lanes: [[Step]]) {
    self.lanes = lanes
  }
}

/// One act on one machine: what it is, the very command, and how it is taken back.
package struct Step: Sendable, Hashable {
  /// Its place in the plan, from 1.
  package var number: Int
  package var machine: MachineName
  /// On whose behalf: the machine itself, or the hosts behind a balancer.
  package var hosts: [MachineName]
  package var act: Act
  package var command: RemoteCommand
  /// What takes it back, on the same machine, in this order. Harmless where nothing was done.
  package var undo: [Undo]

  package init(
    number: Int = 0,
    machine: MachineName,
    hosts: [MachineName],
    act: Act,
    command: RemoteCommand,
    undo: [Undo] = []
  ) {
    self.number = number
    self.machine = machine
    self.hosts = hosts
    self.act = act
    self.command = command
    self.undo = undo
  }

  package struct Undo: Sendable, Hashable {
    package var act: Act
    package var command: RemoteCommand

    package init(_ act: Act, _ command: RemoteCommand) {
      self.act = act
      self.command = command
    }
  }
}

/// haproxy.cfg of one balancer before and after.
package struct ConfigurationChange: Sendable, Hashable {
  package var balancer: MachineName
  package var path: String
  package var before: [UInt8]
  package var after: [UInt8]

  package init(balancer: MachineName, path: String, before: [UInt8], after: [UInt8]) {
    self.balancer = balancer
    self.path = path
    self.before = before
    self.after = after
  }
}
