/// Everything the operator wrote down about the fleet, checked and with defaults filled in.
package struct Inventory: Sendable, Hashable {
  /// In the order of the file: the order in which hosts are switched.
  package var hosts: [Host]
  package var balancers: [Balancer]
  /// How many hosts are switched together.
  package var batch: BatchSize

  package init(hosts: [Host], balancers: [Balancer], batch: BatchSize = .hosts(1)) {
    self.hosts = hosts
    self.balancers = balancers
    self.batch = batch
  }

  package enum BatchSize: Sendable, Hashable {
    /// At least 1.
    case hosts(Int)
    /// 1 to 100, of the chosen hosts, rounded down but never below one host.
    case percent(Int)
  }
}

/// An app server: runs the primary, and the proxy in front of it while the host is enabled.
package struct Host: Sendable, Hashable {
  package var name: MachineName
  package var ssh: SSHAddress
  /// At least one; each feeds from one backend.
  package var routes: [Route]
  package var proxy: ProxySettings
  package var timeouts: Timeouts

  package init(
    name: MachineName,
    ssh: SSHAddress,
    routes: [Route],
    proxy: ProxySettings = .init(),
    timeouts: Timeouts = .init()
  ) {
    self.name = name
    self.ssh = ssh
    self.routes = routes
    self.proxy = proxy
    self.timeouts = timeouts
  }
}

/// One listening port of a host's proxy: what it listens on, where the bytes go, who feeds it.
package struct Route: Sendable, Hashable {
  package var name: RouteName
  /// An IP literal: the address that HAProxy uses for this host (the host's own address unless the
  /// inventory says otherwise).
  package var listenAddress: String
  package var listenPort: Int
  package var primary: Endpoint
  package var shadows: [Endpoint]
  package var backend: BackendName
  package var server: ServerName
  /// The port in haproxy.cfg while the proxy is out of the path: the primary's, unless the
  /// inventory says otherwise (a primary on a unix socket has none).
  package var directPort: Int
  package var copying: Copying
  /// Whose connections the proxy takes, by address; empty: everybody's.
  package var allow: [AddressRange]
  package var shadowProxyProtocol: ShadowProxyProtocol

  package init(
    name: RouteName,
    listenAddress: String,
    listenPort: Int,
    primary: Endpoint,
    shadows: [Endpoint],
    backend: BackendName,
    server: ServerName,
    directPort: Int,
    copying: Copying = .init(),
    allow: [AddressRange] = [],
    shadowProxyProtocol: ShadowProxyProtocol = .keep
  ) {
    self.name = name
    self.listenAddress = listenAddress
    self.listenPort = listenPort
    self.primary = primary
    self.shadows = shadows
    self.backend = backend
    self.server = server
    self.directPort = directPort
    self.copying = copying
    self.allow = allow
    self.shadowProxyProtocol = shadowProxyProtocol
  }

  /// What a shadow gets of a PROXY protocol header at the front of a connection.
  package enum ShadowProxyProtocol: String, Sendable, Hashable, CaseIterable {
    /// What came.
    case keep
    /// None.
    case strip
    /// One in any case: what came, or the proxy's own.
    case add
  }
}

/// A machine that runs HAProxy in front of the hosts.
package struct Balancer: Sendable, Hashable {
  package var name: MachineName
  package var ssh: SSHAddress
  /// The backends it serves that this inventory speaks of.
  package var backends: [BackendName]
  /// haproxy.cfg; a symlink is followed.
  package var configuration: String
  /// `stats socket` with `level admin`, where there is one.
  package var statsSocket: String?
  /// The master CLI (`haproxy -S`), where there is one.
  package var masterSocket: String?
  package var applying: Applying
  /// The shell command that reloads HAProxy; nil: `SIGUSR2` to the master process.
  package var reloadCommand: String?
  package var timeouts: Timeouts

  package init(
    name: MachineName,
    ssh: SSHAddress,
    backends: [BackendName],
    configuration: String = "/etc/haproxy/haproxy.cfg",
    statsSocket: String? = "/run/haproxy/admin.sock",
    masterSocket: String? = "/run/haproxy-master.sock",
    applying: Applying = .automatic,
    reloadCommand: String? = nil,
    timeouts: Timeouts = .init()
  ) {
    self.name = name
    self.ssh = ssh
    self.backends = backends
    self.configuration = configuration
    self.statsSocket = statsSocket
    self.masterSocket = masterSocket
    self.applying = applying
    self.reloadCommand = reloadCommand
    self.timeouts = timeouts
  }

  /// How an edit of haproxy.cfg reaches the running process.
  package enum Applying: String, Sendable, Hashable, CaseIterable {
    /// At runtime where the stats socket allows it, else by a reload.
    case automatic = "auto"
    case runtime
    case reload
  }
}

/// How to reach a machine over SSH.
package struct SSHAddress: Sendable, Hashable {
  /// IP literal or name.
  package var address: String
  package var port: Int
  package var user: String
  /// Private key files, tried in order after the agent's keys; `~` is the operator's home.
  package var keys: [String]
  /// Whether keys of ssh-agent (`$SSH_AUTH_SOCK`) are tried.
  package var agent: Bool
  /// Files in known_hosts format.
  package var knownHosts: [String]
  /// Whether root's rights come through `sudo -n`.
  package var sudo: Bool

  package init(
    address: String,
    port: Int = 22,
    user: String,
    keys: [String] = [],
    agent: Bool = true,
    knownHosts: [String] = ["~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts"],
    sudo: Bool = false
  ) {
    self.address = address
    self.port = port
    self.user = user
    self.keys = keys
    self.agent = agent
    self.knownHosts = knownHosts
    self.sudo = sudo
  }
}

/// How the proxy is installed and run on a host.
package struct ProxySettings: Sendable, Hashable {
  /// Where the executable, its configuration and its runner are put.
  package var directory: String
  /// Whom it runs as: must exist on the host.
  package var user: String
  package var group: String
  /// The loopback port of the admin endpoint (`/health`, `/metrics`).
  package var adminPort: Int
  /// monit's service name and group.
  package var service: String
  package var serviceGroup: String
  /// A folder that monit's own configuration includes.
  package var monitDirectory: String
  package var runDirectory: String
  /// What one connection's shadows may lag behind, in bytes, and what all may in sum.
  package var shadowBuffer: Int
  package var totalShadowBuffer: Int

  package init(
    directory: String = "/opt/duplex-proxy",
    user: String = "nobody",
    group: String = "nogroup",
    adminPort: Int = 8079,
    service: String = "duplex-proxy",
    serviceGroup: String = "duplex",
    monitDirectory: String = "/etc/monit/conf.d",
    runDirectory: String = "/run/duplex-proxy",
    shadowBuffer: Int = 4 << 20,
    totalShadowBuffer: Int = 64 << 20
  ) {
    self.directory = directory
    self.user = user
    self.group = group
    self.adminPort = adminPort
    self.service = service
    self.serviceGroup = serviceGroup
    self.monitDirectory = monitDirectory
    self.runDirectory = runDirectory
    self.shadowBuffer = shadowBuffer
    self.totalShadowBuffer = totalShadowBuffer
  }
}

/// How long each wait may last.
package struct Timeouts: Sendable, Hashable {
  /// TCP connect, key exchange and authentication together.
  package var connect: Duration
  /// One ordinary remote command.
  package var command: Duration
  /// monit's start and stop of the proxy, until the process is seen to run or to be gone.
  package var start: Duration
  package var health: Duration
  /// Until no session is left on a drained server.
  package var drain: Duration
  /// Until HAProxy calls a server up again.
  package var ready: Duration
  /// How long the proxy's counters are watched for traffic after a switch.
  package var verify: Duration

  package init(
    connect: Duration = .seconds(10),
    command: Duration = .seconds(30),
    start: Duration = .seconds(45),
    health: Duration = .seconds(30),
    drain: Duration = .seconds(60),
    ready: Duration = .seconds(30),
    verify: Duration = .seconds(2)
  ) {
    self.connect = connect
    self.command = command
    self.start = start
    self.health = health
    self.drain = drain
    self.ready = ready
    self.verify = verify
  }
}
