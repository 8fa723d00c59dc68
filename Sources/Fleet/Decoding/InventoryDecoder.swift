/// Reads an inventory from a parsed document.
///
/// What machines share stands under `defaults`; what a machine says itself goes before. The
/// operator sees everything that is wrong at once, each problem at the place that has to change.
package struct InventoryDecoder: Sendable {
  /// The file as the operator named it, for the problems.
  package var file: String
  package var surroundings: Surroundings

  package init(file: String, surroundings: Surroundings) {
    self.file = file
    self.surroundings = surroundings
  }

  /// The inventory, with every default filled in and every address a literal.
  ///
  /// - Throws: all that is wrong with it, in the order of the file.
  package func decode(_ document: Node) throws(InventoryProblems) -> Inventory {
    var collector = ProblemCollector(file: file)
    let root = MappingReader(
      document.located(),
      keys: ["defaults", "balancers", "hosts"],
      &collector
    )
    let settings = SettingsDecoding(surroundings: surroundings)
    let defaults = Defaults(
      root.node("defaults") ?? Node.nothing(at: root.node),
      settings: settings,
      &collector
    )

    let balancerDecoding = BalancerDecoding(defaults: defaults, settings: settings)
    let balancers = machines("balancers", root, &collector).compactMap {
      balancerDecoding.balancer($0.value, name: $0.key, &collector)
    }
    var backends: [BackendName] = []
    for backend in balancers.flatMap(\.balancer.backends) where !backends.contains(backend) {
      backends.append(backend)
    }
    let hostDecoding = HostDecoding(defaults: defaults, settings: settings, backends: backends)
    let hosts = machines("hosts", root, &collector).compactMap {
      hostDecoding.host($0.value, name: $0.key, &collector)
    }
    let batch = defaults.batch(&collector)
    InventoryChecks(hosts: hosts, balancers: balancers).report(to: &collector)

    guard collector.problems.isEmpty else {
      throw InventoryProblems(collector.problems.sorted { $0.position < $1.position })
    }
    return Inventory(
      hosts: hosts.map(\.host),
      balancers: balancers.map(\.balancer),
      batch: batch
    )
  }

  private func machines(
    _ key: String,
    _ root: MappingReader,
    _ collector: inout ProblemCollector
  ) -> [Node.Entry] {
    guard let node = root.node(key), node.entries?.isEmpty != true else {
      var place = root.written(key) ?? root.node
      place.path = key
      collector.report(.noMachines, at: place)
      return []
    }
    let reader = MappingReader(node, keys: nil, &collector)
    var seen: Set<String> = ["<<"]
    return (reader.node.entries ?? []).filter { entry in
      entry.key.text.map { seen.insert($0).inserted } ?? false
    }
  }
}
