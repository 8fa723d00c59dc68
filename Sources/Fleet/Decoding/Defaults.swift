/// What the inventory's `defaults` say, still as written: it lies beneath every host and balancer.
struct Defaults {
  static let keys = ["ssh", "timeouts", "routes", "proxy", "batch", "balancer"]

  private let reader: MappingReader

  /// Reads the defaults and reports what is wrong with them even where no machine uses them.
  init(_ node: Node, settings: SettingsDecoding, _ collector: inout ProblemCollector) {
    reader = MappingReader(node, keys: Self.keys, &collector)
    if let ssh = reader.node("ssh") { _ = settings.ssh(ssh, address: "", &collector) }
    if let timeouts = reader.node("timeouts") { _ = settings.timeouts(timeouts, &collector) }
    if let proxy = reader.node("proxy") { _ = settings.proxy(proxy, &collector) }
    if let balancer { _ = MappingReader(balancer, keys: BalancerDecoding.settingKeys, &collector) }
    if let routes {
      let routes = MappingReader(routes, keys: nil, &collector)
      for entry in routes.node.entries ?? [] {
        _ = MappingReader(entry.value, keys: RouteDecoding.keys, &collector)
      }
    }
  }

  var routes: Node? { reader.node("routes") }
  var balancer: Node? { reader.node("balancer") }

  func batch(_ collector: inout ProblemCollector) -> Inventory.BatchSize {
    reader.value("batch", .batch, &collector) ?? .hosts(1)
  }

  func ssh(under own: Node?, in machine: Node) -> Node {
    merged(own, "ssh", in: machine, synonyms: SettingsDecoding.sshSynonyms)
  }

  func timeouts(under own: Node?, in machine: Node) -> Node {
    merged(own, "timeouts", in: machine)
  }

  func proxy(under own: Node?, in machine: Node) -> Node { merged(own, "proxy", in: machine) }

  private func merged(
    _ own: Node?,
    _ key: String,
    in machine: Node,
    synonyms: [[String]] = []
  ) -> Node {
    guard let own else { return reader.node(key) ?? Node.nothing(at: machine) }
    return own.over(reader.node(key), synonyms: synonyms)
  }
}

extension Node {
  /// An empty mapping that stands where another node does.
  static func nothing(at node: Node) -> Node {
    var nothing = node
    nothing.content = .mapping([])
    return nothing
  }
}
