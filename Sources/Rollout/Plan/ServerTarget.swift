import Fleet
import HAProxy

/// One server line on one balancer that a host's route feeds from: how it is, and how it should be.
struct ServerTarget: Sendable, Hashable {
  let balancer: Balancer
  let host: MachineName
  let route: Route
  let id: ServerID
  /// Its line; nil where there is not exactly one.
  let line: ServerLine?
  /// What HAProxy runs; nil where it does not know the server.
  let running: ServerState?

  /// The port that the wish asks for; nil where the port is to stay.
  func port(for wish: Wish) -> Int? {
    switch wish {
    case .enabled: route.listenPort
    case .disabled, .rolledBack: route.directPort
    case .takenOut, .putBack, .upgraded, .reloaded: nil
    }
  }

  /// The port that the balancer must be able to connect to when the wish is done; nil where that is not asked.
  func destination(for wish: Wish) -> Int? {
    wish.changesRunningProxies && carriesProxyTraffic ? route.listenPort : port(for: wish)
  }

  /// Nothing is left to do for the wish: neither in the file nor in the running process.
  func isSettled(for wish: Wish) -> Bool {
    guard let line else { return false }
    if wish == .takenOut { return line.state == .disabled && running?.isReady != true }
    let port = port(for: wish) ?? line.port
    return line.state == .enabled && line.port == port && running?.isReady == true
      && running?.port == port
  }

  /// HAProxy sends requests through the proxy now.
  var carriesProxyTraffic: Bool {
    running?.isReady == true && running?.port == route.listenPort
  }
}

extension Planner.Request {
  /// Every server line of the host, on every balancer that serves the backend.
  func targets(of host: Host) -> [ServerTarget] {
    inventory.balancers.flatMap { targets(of: host, on: $0) }
  }

  /// Whether all of its server lines are as wished.
  func isSettled(_ host: Host) -> Bool { targets(of: host).allSatisfy { $0.isSettled(for: wish) } }

  func targets(of host: Host, on balancer: Balancer) -> [ServerTarget] {
    guard let observation = observation.balancers[balancer.name]?.observation else { return [] }
    let document = Configuration(observation.fileBytes)
    return host.routes.filter { balancer.backends.contains($0.backend) }.map { route in
      let id = ServerID(backend: route.backend.text, server: route.server.text)
      let lines = document.servers.filter { $0.id == id }
      return ServerTarget(
        balancer: balancer,
        host: host.name,
        route: route,
        id: id,
        line: lines.count == 1 ? lines[0] : nil,
        running: observation.servers.first { $0.id == id }
      )
    }
  }
}
