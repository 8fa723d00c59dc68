import Fleet

/// What the operator may not think of about copies: where they go to, and which connections are copied.
extension Inspector {
  func copyFindings(_ host: Host) -> [Finding] {
    host.routes.flatMap { route in
      let production = route.shadows.flatMap { shadow in
        machines(at: shadow, seenFrom: host).map {
          Finding.Kind.shadowIsProduction(route.name, shadow, $0)
        }
      }
      // Samples tell clients apart by address, and all of a route's connections come from HAProxy.
      let sample = route.copying.sample.flatMap { sample in
        sample.isEverybody ? nil : Finding.Kind.sampleOfBalancer(route.name, sample)
      }
      return (production + [sample].compactMap(\.self)).map {
        Finding(host.name, .warning, $0)
      }
    }
  }

  /// Machines of the inventory that take requests there. Which ports a balancer listens on is not known; on a host only
  /// its servers' count, as the new version may well run beside the old one.
  private func machines(at shadow: Endpoint, seenFrom host: Host) -> [MachineName] {
    guard case .tcp(let address, let port) = shadow else { return [] }
    let isOwn = IPLiteral.isLoopback(address)
    let balancers = request.inventory.balancers.filter { !isOwn && $0.ssh.address == address }
    let hosts = request.inventory.hosts.filter { other in
      other.routes.contains { route in
        let isThere =
          isOwn
          ? other.name == host.name
          : [other.ssh.address, route.listenAddress].contains(address)
        return isThere && [route.listenPort, route.directPort].contains(port)
      }
    }
    return balancers.map(\.name) + hosts.map(\.name)
  }
}
