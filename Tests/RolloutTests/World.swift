import Fleet
import HAProxy
import Monit
import Remote
import Rollout

/// A small fleet as it may be found: two hosts behind one balancer, each field to be changed by hand.
struct World {
  var hosts: [Host] = [Self.host("app1", "10.9.0.5"), Self.host("app2", "10.9.0.6")]
  var balancer = Balancer(
    name: "lb1",
    ssh: SSHAddress(address: "10.9.0.2", user: "root"),
    backends: ["app"]
  )
  /// Balancers before the same hosts that are not seen unless they are added to what was.
  var otherBalancers: [Balancer] = []
  var batch = Inventory.BatchSize.hosts(1)
  var observation: FleetObservation

  /// Nothing is installed, and HAProxy sends requests to the primaries.
  static var direct: World {
    World(
      configuration: Self.configuration(app1: "server app1 10.9.0.5:80", app2: app2),
      hosts: ["app1": bare, "app2": bare],
      servers: [server("app1", "10.9.0.5", 80), server("app2", "10.9.0.6", 80)]
    )
  }

  /// The proxy is in the path of both.
  static var proxied: World {
    World(
      configuration: Self.configuration(
        app1: "server app1 10.9.0.5:8080",
        app2: "server app2 10.9.0.6:8080"
      ),
      hosts: ["app1": running("10.9.0.5"), "app2": running("10.9.0.6")],
      servers: [server("app1", "10.9.0.5", 8080), server("app2", "10.9.0.6", 8080)]
    )
  }

  /// A run was cut off when app1 was out of service and its line had not been moved.
  static var halfSwitched: World {
    World(
      configuration: Self.configuration(
        app1: "server app1 10.9.0.5:8080",
        app2: app2,
        marker: "#duplexctl-disabled "
      ),
      hosts: ["app1": running("10.9.0.5"), "app2": bare],
      servers: [
        server("app1", "10.9.0.5", 8080, operational: .down, administrative: 1, status: "MAINT"),
        server("app2", "10.9.0.6", 80),
      ]
    )
  }

  func answer(_ wish: Wish, of names: [MachineName] = ["app1", "app2"]) -> Planner.Answer {
    Planner(request(wish, hosts.filter { names.contains($0.name) })).answer()
  }

  func status(of name: MachineName) -> HostStatus {
    let host = hosts.first { $0.name == name }!
    return HostStatus.all(of: host, in: request(.enabled, [host]))[0]
  }

  private func request(_ wish: Wish, _ chosen: [Host]) -> Planner.Request {
    Planner.Request(
      inventory: Inventory(hosts: hosts, balancers: [balancer] + otherBalancers, batch: batch),
      hosts: chosen,
      batch: batch,
      wish: wish,
      payloads: Dictionary(uniqueKeysWithValues: chosen.map { ($0.name, Self.payload) }),
      observation: observation,
      digest: Self.digest
    )
  }

  /// Changes what was seen of the balancer.
  mutating func seeBalancer(_ change: (inout BalancerObservation) -> Void) {
    guard var seen = observation.balancers["lb1"]?.observation else { return }
    change(&seen)
    observation.balancers["lb1"] = .seen(seen)
  }

  mutating func seeHost(_ name: MachineName, _ change: (inout HostSighting) -> Void) {
    guard var seen = observation.hosts[name]?.observation else { return }
    change(&seen)
    observation.hosts[name] = .seen(seen)
  }

  /// Another server of the backend that is none of the inventory's.
  mutating func addServer(_ name: String) {
    seeBalancer { seen in
      seen.fileBytes += Array("  server \(name) 10.9.0.99:80\n".utf8)
      seen.sha256 = Self.digest(seen.fileBytes)
      seen.servers.append(Self.server(name, "10.9.0.99", 80))
    }
  }

  // MARK: What it is made of

  private init(
    configuration: String,
    hosts: [MachineName: HostSighting],
    servers: [ServerState]
  ) {
    var balancer = BalancerObservation()
    balancer.isRoot = true
    balancer.process = HAProxyProcess(
      configuration: "/etc/haproxy/haproxy.cfg",
      sources: [.init(path: "/etc/haproxy/haproxy.cfg", isFolder: false)],
      executable: "/usr/sbin/haproxy",
      masterPID: 100,
      statsSocket: "/run/haproxy/admin.sock",
      masterSocket: "/run/haproxy-master.sock",
      client: .socat,
      timeout: .seconds(30)
    )
    balancer.isMasterWorker = true
    balancer.fileBytes = Array(configuration.utf8)
    balancer.sha256 = Self.digest(balancer.fileBytes)
    balancer.fileChanged = 1
    balancer.workerStarted = 2
    balancer.servers = servers
    observation = FleetObservation(
      hosts: hosts.mapValues(Sighting.seen),
      balancers: ["lb1": .seen(balancer)]
    )
  }

  static let app2 = "server app2 10.9.0.6:80"

  static func configuration(app1: String, app2: String, marker: String = "") -> String {
    "frontend web\n  default_backend app\nbackend app\n\(marker)  \(app1)\n  \(app2)\n"
      + "  option httpchk\n"
  }

  static func server(
    _ name: String,
    _ address: String,
    _ port: Int,
    operational: ServerState.Operational = .up,
    administrative: Int = 0,
    status: String = "UP"
  ) -> ServerState {
    ServerState(
      id: ServerID(backend: "app", server: name),
      address: address,
      port: port,
      operational: operational,
      administrative: administrative,
      status: status,
      currentSessions: 0,
      totalSessions: 0,
      queued: 0
    )
  }

  private static func host(_ name: MachineName, _ address: String) -> Host {
    Host(
      name: name,
      ssh: SSHAddress(address: address, user: "root"),
      routes: [
        Route(
          name: "web",
          listenAddress: address,
          listenPort: 8080,
          primary: .tcp(host: "127.0.0.1", port: 80),
          shadows: [],
          backend: "app",
          server: ServerName(name.text),
          directPort: 80
        )
      ]
    )
  }

  /// A host on which only the primary runs.
  private static var bare: HostSighting {
    var seen = HostObservation()
    seen.architecture = "x86_64"
    seen.isRoot = true
    seen.hasUser = true
    seen.hasGroup = true
    seen.listeners = [.init(address: "127.0.0.1", port: 80, program: "nginx", pid: 12)]
    return HostSighting(
      host: seen,
      monit: MonitObservation(
        version: "5.33.0",
        daemon: 30,
        includes: ["/etc/monit/conf.d/*"],
        interface: .answers
      )
    )
  }

  /// A host on which the wanted proxy runs under monit.
  private static func running(_ address: String) -> HostSighting {
    var seen = bare
    let paths = HostPaths(ProxySettings())
    let executable = paths.executable(sha256: payload.executable.sha256)
    seen.host.digests = Dictionary(
      uniqueKeysWithValues: payload.files.map { ($0.path, digest($0.contents)) }
    )
    seen.host.digests[executable] = payload.executable.sha256
    seen.host.link = executable.split(separator: "/").last.map(String.init)
    seen.host.process = .init(pid: 40, executable: executable)
    seen.host.process?.isHealthy = true
    seen.host.listeners += [
      .init(address: address, port: 8080, program: "duplex-proxy", pid: 40),
      .init(address: "127.0.0.1", port: 8079, program: "duplex-proxy", pid: 40),
    ]
    seen.monit.service = MonitStatus(.ok, process: 40)
    return seen
  }

  private static let payload = Planner.Payload(
    executable: Executable(
      bytes: [1, 2, 3],
      sha256: "0123456789abcdef",
      architecture: "x86_64"
    ),
    files: [
      HostFile(
        path: HostPaths(ProxySettings()).configuration,
        mode: 0o644,
        contents: [4],
        description: "the proxy's configuration"
      ),
      HostFile(
        path: HostPaths(ProxySettings()).controlFile,
        mode: 0o644,
        contents: [5],
        description: "monit's control file"
      ),
    ]
  )

  /// Not a real digest, but another for every content of these tests.
  static let digest: @Sendable ([UInt8]) -> String = { bytes in
    "d" + String(bytes.reduce(UInt64(5381)) { $0 &* 33 &+ UInt64($1) }, radix: 16)
  }
}
