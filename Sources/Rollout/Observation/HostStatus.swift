package import Fleet
import HAProxy
import Monit

/// One route of a host on one balancer, as every part of it sees itself.
package struct HostStatus: Sendable, Hashable, Codable {
  package var host: MachineName
  package var route: RouteName
  package var balancer: MachineName
  package var path: Path
  /// `0.1.0`; nil where none runs.
  package var proxyVersion: String?
  package var proxyPID: Int?
  package var isHealthy: Bool
  /// What its shadows have got; nil where no proxy runs.
  package var copies: ShadowCopies?
  package var monit: String
  /// The server's line in haproxy.cfg: `10.0.0.11:8080`, or `disabled` for a marked one.
  package var fileAddress: String
  /// What the running process uses.
  package var runningAddress: String
  package var serverStatus: String
  package var sessions: Int
  /// Where the parts contradict each other; empty where all agree.
  package var disagreements: [Disagreement]

  package var agrees: Bool { disagreements.isEmpty }

  /// Which way the host's requests take.
  package enum Path: String, Sendable, Hashable, Codable {
    case proxy
    case direct
    /// Out of service, or unknown.
    case none
  }

  package enum Disagreement: String, Sendable, Hashable, Codable {
    case unreachable = "a machine could not be seen"
    case serversUnseen = "no socket told what HAProxy runs"
    case fileAndProcessDiffer = "haproxy.cfg and the running HAProxy differ"
    case outOfService = "the server is out of service"
    case takenOut = "duplexctl took the server out of service, and has not put it back"
    case serverDown = "HAProxy's health check of the server fails"
    case proxyLost = "monit looks after a proxy that does not run"
    case trafficWithoutHealthyProxy = "traffic goes to a proxy that is not healthy"
    case trafficWithoutMonit = "traffic goes to a proxy that monit does not look after"
    case proxyRunsWithoutTraffic = "the proxy runs, but no traffic goes to it"
    case portUnknown = "the server is at neither the proxy's port nor the primary's"
  }

  package static func all(of host: Host, in request: Planner.Request) -> [HostStatus] {
    let sighting = request.observation.hosts[host.name]?.observation
    let targets = request.targets(of: host)
    let seen = targets.map { target in
      let balancer = request.observation.balancers[target.balancer.name]?.observation
      let hasTold = balancer?.servers.isEmpty == false
      return HostStatus(target, host: host, sighting: sighting, balancerHasTold: hasTold)
    }
    return seen
      + request.inventory.balancers.flatMap { balancer in
        let isSeen = request.observation.balancers[balancer.name]?.observation != nil
        return host.routes.filter { !isSeen && balancer.backends.contains($0.backend) }.map {
          HostStatus(host, $0, unseen: balancer)
        }
      }
  }

  private init(_ host: Host, _ route: Route, unseen balancer: Balancer) {
    self.host = host.name
    self.route = route.name
    self.balancer = balancer.name
    path = .none
    isHealthy = false
    monit = "?"
    fileAddress = "?"
    runningAddress = "?"
    serverStatus = "?"
    sessions = 0
    disagreements = [.unreachable]
  }

  private init(
    _ target: ServerTarget,
    host: Host,
    sighting: HostSighting?,
    balancerHasTold: Bool
  ) {
    self.host = host.name
    route = target.route.name
    balancer = target.balancer.name
    let running = target.running
    path =
      running?.isReady != true
      ? .none
      : running?.port == target.route.listenPort
        ? .proxy : running?.port == target.route.directPort ? .direct : .none
    proxyVersion = sighting?.host.process?.version
    proxyPID = sighting?.host.process?.pid
    isHealthy = sighting?.host.process?.isHealthy == true
    copies = sighting?.host.process?.copies
    monit = sighting.map { $0.monit.service.state.words } ?? "?"
    fileAddress =
      target.line.map { $0.state == .disabled ? "disabled" : $0.address } ?? "no such line"
    runningAddress =
      running.map { "\($0.address):\($0.port)" } ?? (balancerHasTold ? "no such server" : "?")
    serverStatus = running?.status ?? "?"
    sessions = running?.currentSessions ?? 0
    disagreements = Self.disagreements(target, sighting, path, balancerHasTold)
  }

  private static func disagreements(
    _ target: ServerTarget,
    _ sighting: HostSighting?,
    _ path: Path,
    _ balancerHasTold: Bool
  ) -> [Disagreement] {
    guard let sighting else { return [.unreachable] + (balancerHasTold ? [] : [.serversUnseen]) }
    let isLost = sighting.host.process == nil && sighting.monit.isSupervising
    guard balancerHasTold else { return (isLost ? [.proxyLost] : []) + [.serversUnseen] }
    var found: [Disagreement] = []
    let isInFile = target.line?.state == .enabled
    if isInFile != (target.running?.isReady == true) || target.line?.port != target.running?.port {
      found.append(.fileAndProcessDiffer)
    }
    let isHealthy = sighting.host.process?.isHealthy == true
    if target.running?.isReady == true, target.running?.operational == .down {
      found.append(.serverDown)
    }
    if isLost { found.append(.proxyLost) }
    switch path {
    case .proxy:
      if !isHealthy { found.append(.trafficWithoutHealthyProxy) }
      if !sighting.monit.isSupervising { found.append(.trafficWithoutMonit) }
    case .direct:
      if sighting.host.process != nil { found.append(.proxyRunsWithoutTraffic) }
    case .none:
      if target.running?.isReady == true {
        found.append(.portUnknown)
      } else {
        found.append(target.line?.state == .disabled ? .takenOut : .outOfService)
      }
    }
    return found
  }
}

extension MonitStatus.State {
  /// As monit says it, but for what it calls not monitored: that is `off`.
  package var words: String {
    switch self {
    case .unknown: "unknown"
    case .notMonitored: "off"
    case .initializing: "initializing"
    case .ok: "ok"
    case .failed(let words): words
    }
  }
}
