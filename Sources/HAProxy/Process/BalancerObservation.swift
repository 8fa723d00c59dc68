/// What a balancer looks like.
package struct BalancerObservation: Sendable, Hashable, Codable {
  package var isRoot = false
  /// The HAProxy that was started with the file; nil where none runs.
  package var process: HAProxyProcess?
  package var version: String?
  package var isMasterWorker = false
  /// haproxy.cfg, every byte of it.
  package var fileBytes: [UInt8] = []
  package var sha256 = ""
  /// Seconds since 1970.
  package var fileChanged = 0.0
  package var workerStarted = 0.0
  /// SHA-256 of the content that this tool wrote last.
  package var lastWritten: String?
  package var servers: [ServerState] = []
  /// What `haproxy -c` says of the file as it is; nil where it passes.
  package var configurationError: String?
  /// Why the stats socket cannot be used with level admin.
  package var statsSocketProblem: String?
  package var masterSocketProblem: String?
  package var oldWorkers = 0
  /// It has none of the programs that speak to a unix socket (`SocketClient`).
  package var lacksSocketClient = false

  package init() {}

  /// Somebody changed the file after the worker read it, and it was not this tool: a reload now
  /// would load what nobody asked this tool to load.
  package var unloadedEdits: Bool {
    fileChanged > workerStarted && lastWritten != sha256
  }
}
