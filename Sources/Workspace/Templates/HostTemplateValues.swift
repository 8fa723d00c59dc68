import Fleet

/// What the templates of a host may name.
enum HostTemplateValues {
  static func values(for host: Host) -> [String: TemplateValue] {
    let proxy = host.proxy
    let drain = wholeSeconds(host.timeouts.drain)
    return [
      "host": .text(host.name.text),
      "address": .text(host.ssh.address),
      "directory": .text(proxy.directory),
      "run-directory": .text(proxy.runDirectory),
      "user": .text(proxy.user),
      "group": .text(proxy.group),
      "service": .text(proxy.service),
      "service-group": .text(proxy.serviceGroup),
      "admin-port": number(proxy.adminPort),
      "shadow-buffer": number(proxy.shadowBuffer),
      "shadow-buffer-total": number(proxy.totalShadowBuffer),
      "start-seconds": number(wholeSeconds(host.timeouts.start)),
      "drain-seconds": number(drain),
      // The proxy ends by itself when its drain is over, the runner kills it when it does not,
      // and monit waits for the runner: each a little longer than what it waits for.
      "stop-seconds": number(drain + 5),
      "monit-stop-seconds": number(drain + 15),
      "privileged-ports": .flag(host.routes.contains { $0.listenPort < 1024 }),
      "routes": .rows(keys: routeKeys, host.routes.map(values)),
    ]
  }

  private static let routeKeys = [
    "name", "listen-address", "listen-port", "primary", "primary-is-socket", "shadows",
    "has-shadows", "copying", "backend", "server", "direct-port",
  ]

  private static func values(for route: Route) -> [String: TemplateValue] {
    let (primary, isSocket) =
      switch route.primary {
      case .tcp: (route.primary.description, false)
      case .unix(let path): (path, true)
      }
    return [
      "name": .text(route.name.text),
      "listen-address": .text(route.listenAddress),
      "listen-port": number(route.listenPort),
      "primary": .text(primary),
      "primary-is-socket": .flag(isSocket),
      "shadows": .text(route.shadows.map(\.description).joined(separator: ",")),
      "has-shadows": .flag(!route.shadows.isEmpty),
      "copying": .rows(
        keys: ["flag", "value"],
        flags(for: route).map { ["flag": .text($0.flag), "value": .text($0.value)] }
      ),
      "backend": .text(route.backend.text),
      "server": .text(route.server.text),
      "direct-port": number(route.directPort),
    ]
  }

  /// Those that say something else than the proxy does by itself. Whom it takes connections from is among them, so that
  /// no template leaves that out unnoticed.
  static func flags(for route: Route) -> [(flag: String, value: String)] {
    let copying = route.copying
    var flags: [(flag: String, value: String)] = []
    if !route.allow.isEmpty {
      flags.append(("--allow", route.allow.map(\.description).joined(separator: ",")))
    }
    if route.shadowProxyProtocol != .keep {
      flags.append(("--shadow-proxy-protocol", route.shadowProxyProtocol.rawValue))
    }
    if let sample = copying.sample { flags.append(("--sample", sample.description)) }
    if copying.amplify != 1 { flags.append(("--amplify", String(copying.amplify))) }
    if let rate = copying.rate { flags.append(("--shadow-rate", String(rate))) }
    if copying.breaker != .on { flags.append(("--breaker", copying.breaker.rawValue)) }
    return flags
  }

  private static func number(_ number: Int) -> TemplateValue { .text(String(number)) }

  /// Rounded up.
  private static func wholeSeconds(_ duration: Duration) -> Int {
    let (seconds, fraction) = duration.components
    return Int(seconds) + (fraction > 0 ? 1 : 0)
  }
}
