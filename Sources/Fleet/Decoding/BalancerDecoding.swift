/// A balancer with the place of its name.
struct DecodedBalancer {
  var balancer: Balancer
  var name: Node
}

/// Reads one balancer, with the defaults beneath it.
struct BalancerDecoding {
  static let settingKeys = ["config", "stats-socket", "master-socket", "apply", "reload"]
  static let keys = ["address", "ssh", "timeouts", "backends"] + settingKeys

  let defaults: Defaults
  let settings: SettingsDecoding

  func balancer(_ written: Node, name: Node, _ collector: inout ProblemCollector)
    -> DecodedBalancer?
  {
    let reader = MappingReader(
      written.over(defaults.balancer),
      keys: Self.keys,
      &collector
    )
    let text = MappingReader.value(of: name, .name, &collector)
    let address = reader.value("address", .machineAddress, &collector)
    let ssh = settings.ssh(
      defaults.ssh(under: reader.node("ssh"), in: written),
      address: address ?? text ?? "",
      &collector
    )
    let timeouts = settings.timeouts(
      defaults.timeouts(under: reader.node("timeouts"), in: written),
      &collector
    )
    let backends = reader.list("backends", .sectionName, &collector)?.map(\.value)
    if backends == nil || backends?.isEmpty == true, !isMisspelt(reader) {
      reader.reportMissing(
        "backends",
        expected: "the backends of haproxy.cfg that the routes name",
        &collector
      )
    }
    guard let text, let backends else { return nil }

    var balancer = Balancer(
      name: MachineName(text),
      ssh: ssh,
      backends: backends.map { BackendName($0) },
      timeouts: timeouts
    )
    readSettings(reader, into: &balancer, &collector)
    return DecodedBalancer(balancer: balancer, name: name)
  }

  /// Whether the list is there but nothing in it could be read, which is reported already.
  private func isMisspelt(_ reader: MappingReader) -> Bool {
    guard let node = reader.node("backends") else { return false }
    return node.content != .sequence([])
  }

  private func readSettings(
    _ reader: MappingReader,
    into balancer: inout Balancer,
    _ collector: inout ProblemCollector
  ) {
    if let path = reader.value("config", .absolutePath, &collector) {
      balancer.configuration = path
    }
    if reader.written("stats-socket") != nil {
      balancer.statsSocket = reader.value("stats-socket", .absolutePath, &collector)
    }
    if reader.written("master-socket") != nil {
      balancer.masterSocket = reader.value("master-socket", .absolutePath, &collector)
    }
    if let applying = reader.value("apply", .applying, &collector) {
      balancer.applying = applying
    }
    balancer.reloadCommand = reader.value("reload", .text, &collector)
    if balancer.applying == .runtime, reader.written("stats-socket")?.isNull == true {
      collector.report(.runtimeWithoutSocket, at: reader.node("apply") ?? reader.node)
    }
  }
}
