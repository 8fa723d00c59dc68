/// Reads what hosts and balancers have in common, and the proxy's settings.
struct SettingsDecoding {
  static let sshKeys = ["user", "port", "key", "keys", "agent", "known-hosts", "sudo"]
  static let sshSynonyms = [["key", "keys"]]
  static let timeoutKeys = ["connect", "command", "start", "health", "drain", "ready", "verify"]
  static let proxyKeys = [
    "directory", "user", "group", "admin-port", "service", "service-group", "monit-directory",
    "run-directory", "shadow-buffer", "shadow-buffer-total",
  ]

  let surroundings: Surroundings

  func ssh(_ node: Node, address: String, _ collector: inout ProblemCollector) -> SSHAddress {
    let reader = MappingReader(node, keys: Self.sshKeys, &collector)
    if reader.node("key") != nil, let both = reader.node("keys") {
      collector.report(.bothWritten("key", "keys"), at: both)
    }
    let keys = files("key", reader, &collector) ?? files("keys", reader, &collector)
    var ssh = SSHAddress(
      address: address,
      user: reader.value("user", .text, &collector) ?? surroundings.user,
      keys: keys ?? surroundings.keys
    )
    if let port = reader.value("port", .port, &collector) { ssh.port = port }
    if let agent = reader.value("agent", .flag, &collector) { ssh.agent = agent }
    if let sudo = reader.value("sudo", .flag, &collector) { ssh.sudo = sudo }
    ssh.knownHosts =
      files("known-hosts", reader, &collector)
      ?? ssh.knownHosts.compactMap { file in
        if case .at(let path) = surroundings.file(file) { path } else { nil }
      }
    return ssh
  }

  func timeouts(_ node: Node, _ collector: inout ProblemCollector) -> Timeouts {
    let reader = MappingReader(node, keys: Self.timeoutKeys, &collector)
    let parts: [(String, WritableKeyPath<Timeouts, Duration>)] = [
      ("connect", \.connect), ("command", \.command), ("start", \.start), ("health", \.health),
      ("drain", \.drain), ("ready", \.ready), ("verify", \.verify),
    ]
    var timeouts = Timeouts()
    for (key, part) in parts {
      if let value = reader.value(key, .duration, &collector) { timeouts[keyPath: part] = value }
    }
    return timeouts
  }

  func proxy(_ node: Node, _ collector: inout ProblemCollector) -> ProxySettings {
    let reader = MappingReader(node, keys: Self.proxyKeys, &collector)
    let texts: [(String, Format<String>, WritableKeyPath<ProxySettings, String>)] = [
      ("directory", .remotePath, \.directory), ("user", .name, \.user), ("group", .name, \.group),
      ("service", .name, \.service), ("service-group", .name, \.serviceGroup),
      ("monit-directory", .remotePath, \.monitDirectory),
      ("run-directory", .remotePath, \.runDirectory),
    ]
    let numbers: [(String, Format<Int>, WritableKeyPath<ProxySettings, Int>)] = [
      ("admin-port", .port, \.adminPort), ("shadow-buffer", .size, \.shadowBuffer),
      ("shadow-buffer-total", .size, \.totalShadowBuffer),
    ]
    var proxy = ProxySettings()
    for (key, format, part) in texts {
      if let value = reader.value(key, format, &collector) { proxy[keyPath: part] = value }
    }
    for (key, format, part) in numbers {
      if let value = reader.value(key, format, &collector) { proxy[keyPath: part] = value }
    }
    if proxy.totalShadowBuffer < proxy.shadowBuffer {
      let code = InventoryProblem.Code.totalBelowOne(
        total: proxy.totalShadowBuffer,
        one: proxy.shadowBuffer
      )
      let place = reader.node("shadow-buffer-total") ?? reader.node("shadow-buffer") ?? node
      collector.report(code, at: place)
    }
    return proxy
  }

  /// Files of the operator's machine; a missing one is a problem, since it was written by hand.
  private func files(
    _ key: String,
    _ reader: MappingReader,
    _ collector: inout ProblemCollector
  ) -> [String]? {
    guard let written = reader.list(key, .text, &collector) else { return nil }
    return written.compactMap { node, name in
      switch surroundings.file(name) {
      case .at(let path): return path
      case .missing(let path):
        collector.report(.noSuchFile(path: path), at: node)
        return nil
      }
    }
  }
}
