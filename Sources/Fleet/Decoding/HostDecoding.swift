/// A host with the places of its name and of its routes' parts.
struct DecodedHost {
  var host: Host
  var name: Node
  var routes: [DecodedRoute]
}

/// Reads one host, with the defaults beneath it.
struct HostDecoding {
  static let keys = ["address", "server", "ssh", "timeouts", "routes", "proxy"]

  let defaults: Defaults
  let settings: SettingsDecoding
  let backends: [BackendName]

  func host(_ written: Node, name: Node, _ collector: inout ProblemCollector) -> DecodedHost? {
    let reader = MappingReader(written, keys: Self.keys, &collector)
    let text = MappingReader.value(of: name, .name, &collector)
    let address = reader.value("address", .machineAddress, &collector) ?? text ?? ""
    let server = reader.value("server", .sectionName, &collector) ?? text ?? ""
    let ssh = settings.ssh(
      defaults.ssh(under: reader.node("ssh"), in: written),
      address: address,
      &collector
    )
    let timeouts = settings.timeouts(
      defaults.timeouts(under: reader.node("timeouts"), in: written),
      &collector
    )
    let proxy = settings.proxy(
      defaults.proxy(under: reader.node("proxy"), in: written),
      &collector
    )
    let decoding = RouteDecoding(
      surroundings: settings.surroundings,
      backends: backends,
      address: address,
      server: ServerName(server),
      serverNode: reader.node("server") ?? name
    )
    let routes = self.routes(reader, decoding, &collector)
    guard let text else { return nil }

    return DecodedHost(
      host: Host(
        name: MachineName(text),
        ssh: ssh,
        routes: routes.map(\.route),
        proxy: proxy,
        timeouts: timeouts
      ),
      name: name,
      routes: routes
    )
  }

  /// The routes of the defaults in their order, changed or left out by the host, then its own.
  private func routes(
    _ reader: MappingReader,
    _ decoding: RouteDecoding,
    _ collector: inout ProblemCollector
  ) -> [DecodedRoute] {
    let own = MappingReader(
      reader.node("routes") ?? Node.nothing(at: reader.node),
      keys: nil,
      &collector
    )
    let shared = (defaults.routes?.entries ?? []).filter { $0.key.text != "<<" }
    let sharedNames = shared.compactMap(\.key.text)
    var chosen: [(key: Node, node: Node)] = []
    for entry in shared {
      guard let name = entry.key.text, !chosen.contains(where: { $0.key.text == name }) else {
        continue
      }
      guard let change = own.node(name) else {
        chosen.append((entry.key, entry.value))
        continue
      }
      if change.text != "false" {
        chosen.append(
          (entry.key, change.over(entry.value, synonyms: RouteDecoding.synonyms))
        )
      }
    }
    for entry in own.node.entries ?? [] {
      guard let name = entry.key.text, name != "<<", !sharedNames.contains(name),
        !chosen.contains(where: { $0.key.text == name })
      else { continue }
      if entry.value.text == "false" {
        collector.report(.nothingToLeaveOut, at: entry.value)
      } else {
        chosen.append((entry.key, entry.value))
      }
    }
    if chosen.isEmpty { collector.report(.noRoutes, at: own.node) }
    return chosen.compactMap { key, node in
      MappingReader.value(of: key, .name, &collector).flatMap { name in
        decoding.route(node, named: name, &collector)
      }
    }
  }
}
