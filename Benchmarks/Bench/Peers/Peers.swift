/// Starts what is measured, each on one thread, in front of the given servers.
struct Peers {
  /// The duplex-proxy under test.
  var proxy: String
  /// More words for it, after all others.
  var proxyArguments: [String]
  /// Where configurations and logs are written.
  var folder: String

  /// A candidate that listens.
  struct Running {
    /// Nil for `direct`.
    var program: Program?
    var port: LoopbackPort
  }

  /// Starts it and waits until it accepts connections.
  func start(
    _ candidate: Candidate,
    before servers: Servers,
    on processors: Processors
  ) throws -> Running {
    if candidate == .direct { return Running(program: nil, port: servers.primary) }
    let port = try LoopbackPort.free(1)[0]
    let words = try words(for: candidate, at: port, before: servers)
    let log = "\(folder)/\(candidate.rawValue).log"
    let program = try Program(candidate.rawValue, words, log: log, on: processors)
    try program.expectListening(on: port)
    return Running(program: program, port: port)
  }

  private func words(
    for candidate: Candidate,
    at port: LoopbackPort,
    before servers: Servers
  ) throws -> [String] {
    switch candidate {
    case .direct: return []
    case .haproxyTCP: return try haproxy(.tcp, port, servers)
    case .haproxySplice: return try haproxy(.splice, port, servers)
    case .haproxyHTTP: return try haproxy(.http, port, servers)
    case .nginxMirror:
      let role = NginxConfiguration.Role.mirror(primary: servers.primary, shadow: servers.shadow)
      let path = "\(folder)/mirror.conf"
      try TextFile.write(
        NginxConfiguration(role: role, listen: port, folder: folder).text,
        to: path
      )
      return [try Tool.nginx.path, "-p", folder, "-c", path]
    case .duplexUring: return duplex("io_uring", port, servers)
    case .duplexEpoll: return duplex("epoll", port, servers)
    }
  }

  private func haproxy(
    _ mode: HAProxyConfiguration.Mode,
    _ port: LoopbackPort,
    _ servers: Servers
  ) throws -> [String] {
    let path = "\(folder)/haproxy.cfg"
    let configuration = HAProxyConfiguration(mode: mode, listen: port, server: servers.primary)
    try TextFile.write(configuration.text, to: path)
    return [try Tool.haproxy.path, "-db", "-f", path]
  }

  private func duplex(_ engine: String, _ port: LoopbackPort, _ servers: Servers) -> [String] {
    [
      proxy, "--listen", "\(port.number)", "--bind", "127.0.0.1", "--relay", "\(servers.primary)",
      "--duplicate", "\(servers.shadow)", "--engine", engine,
    ] + proxyArguments
  }
}
