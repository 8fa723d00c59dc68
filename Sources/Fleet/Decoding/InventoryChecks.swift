/// What can only be seen by comparing parts of an inventory with each other.
struct InventoryChecks {
  let hosts: [DecodedHost]
  let balancers: [DecodedBalancer]

  func report(to collector: inout ProblemCollector) {
    checkNames(&collector)
    checkServers(&collector)
    for host in hosts {
      checkPorts(of: host, &collector)
      for route in host.routes { checkEndpoints(of: route, &collector) }
    }
  }

  private func checkNames(_ collector: inout ProblemCollector) {
    for host in hosts {
      if let same = balancers.first(where: { $0.balancer.name == host.host.name }) {
        collector.report(.nameOfBalancer(line: same.name.position.line), at: host.name)
      }
    }
  }

  private func checkServers(_ collector: inout ProblemCollector) {
    struct Pair: Hashable {
      var backend: BackendName
      var server: ServerName
    }
    var owners: [Pair: (host: MachineName, route: RouteName)] = [:]
    for host in hosts {
      for decoded in host.routes {
        let route = decoded.route
        let pair = Pair(backend: route.backend, server: route.server)
        if let owner = owners[pair] {
          collector.report(
            .serverTaken(pair.backend, pair.server, by: owner.host, owner.route),
            at: decoded.server
          )
        } else {
          owners[pair] = (host.host.name, route.name)
        }
      }
    }
  }

  private func checkPorts(of host: DecodedHost, _ collector: inout ProblemCollector) {
    let adminPort = host.host.proxy.adminPort
    var earlier: [Route] = []
    for decoded in host.routes {
      let route = decoded.route
      let port = route.listenPort
      if let other = earlier.first(where: { collides($0, with: route) }) {
        collector.report(.listenPortTaken(port, by: other.name), at: decoded.listen)
      }
      if port == route.directPort {
        collector.report(.listenIsDirectPort(port), at: decoded.listen)
      }
      if port == adminPort { collector.report(.listenIsAdminPort(port), at: decoded.listen) }
      if case .tcp(let address, adminPort) = route.primary, IPLiteral.isLoopback(address) {
        collector.report(.primaryIsAdmin(adminPort), at: decoded.primary)
      }
      earlier.append(route)
    }
  }

  private func collides(_ one: Route, with other: Route) -> Bool {
    one.listenPort == other.listenPort
      && (one.listenAddress == other.listenAddress || IPLiteral.isWildcard(one.listenAddress)
        || IPLiteral.isWildcard(other.listenAddress))
  }

  private func checkEndpoints(of decoded: DecodedRoute, _ collector: inout ProblemCollector) {
    let route = decoded.route
    if isListener(route.primary, of: route) {
      collector.report(.primaryIsListener(route.primary), at: decoded.primary)
    }
    for (index, (shadow, node)) in zip(route.shadows, decoded.shadows).enumerated() {
      if shadow == route.primary {
        collector.report(.shadowIsPrimary(shadow), at: node)
      } else if isListener(shadow, of: route) {
        collector.report(.shadowIsListener(shadow), at: node)
      } else if route.shadows[..<index].contains(shadow) {
        collector.report(.shadowTwice(shadow), at: node)
      }
    }
  }

  private func isListener(_ endpoint: Endpoint, of route: Route) -> Bool {
    guard case .tcp(let address, route.listenPort) = endpoint else { return false }
    return address == route.listenAddress
      || (IPLiteral.isWildcard(route.listenAddress) && IPLiteral.isLoopback(address))
  }
}
