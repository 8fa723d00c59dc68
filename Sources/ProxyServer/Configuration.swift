package import Duplex

/// Everything the proxy is told at its start.
package struct Configuration: Sendable, Equatable {
  package var routes: [Route] = []
  /// Where the admin endpoint listens: loopback or unix sockets.
  package var admin: [SocketAddress] = []
  package var limits = Limits()
  /// A line for each connection.
  package var isVerbose = false
  /// Nil: io_uring, and epoll where the kernel has no io_uring for us.
  package var engine: Engine? = .epoll
  /// How many threads serve connections; nil: one a processor that this process may use.
  package var threads: Int?

  /// NAME[:GROUP], or numbers, that the worker runs as; nil: as who started the supervisor.
  package var user: String?

  package init() {}

  var reachesUnixSockets: Bool {
    routes.contains { route in
      ([route.primary] + route.shadows).contains { $0.unixPath != nil }
    }
  }
}

/// One listening address, its primary and its shadows.
package struct Route: Sendable, Equatable {
  package var listen: SocketAddress
  /// The mode of a listening unix socket's file; nil leaves it to the umask.
  package var listenMode: UInt16?
  /// From where connections are taken; empty: from anywhere.
  package var allowed: [AddressRange] = []
  package var primary: SocketAddress
  package var shadows: [SocketAddress]
  package var copying: CopyingPolicy
  package var shadowProxyProtocol = ShadowProxyProtocol.keep

  package init(
    listen: SocketAddress,
    primary: SocketAddress,
    shadows: [SocketAddress] = [],
    copying: CopyingPolicy = CopyingPolicy()
  ) {
    self.listen = listen
    self.primary = primary
    self.shadows = shadows
    self.copying = copying
  }
}

/// Which of a route's connections are copied to its shadows, and how often.
package struct CopyingPolicy: Sendable, Equatable {
  /// Nil: all clients.
  package var sample: ClientSample?
  /// Of each connection, to each shadow.
  package var copies = 1
  /// Connections to each shadow a second; nil: any number.
  package var rate: Int?
  package var hasBreaker = true

  package init() {}
}

/// Bounds of memory and time. Times are nanoseconds.
package struct Limits: Sendable, Equatable {
  /// A side is not read while it has this much waiting for the other one.
  package var relayBuffer = 64 * 1024
  /// What one connection's shadow may lag.
  package var shadowBuffer = 4 * 1024 * 1024
  /// What all shadows together may lag.
  package var shadowBufferTotal = 64 * 1024 * 1024
  package var connectTimeout: UInt64 = 5_000_000_000
  package var drainTimeout: UInt64 = 30_000_000_000
  /// Who has handed over to another process has no haste: after the drain timeout it closes what has been quiet for so
  /// long, looks again so often, and cuts what is left after so many drain timeouts.
  package var quiet: UInt64 = 1_000_000_000
  package var quietPoll: UInt64 = 50_000_000
  package static let handedOverDrains: UInt64 = 10
  /// How long a shadow may take for the rest when client and primary are done.
  package var shadowLinger: UInt64 = 5_000_000_000
  /// So many copies may be at that at a time, on all threads. Each has a port of this machine, of which there are 28,000, and
  /// once half of them lead to one shadow the kernel looks at all those for the next: a connect takes a millisecond.
  package var mostLingering = 4096
  /// How long few bytes of a shadow's answers may wait to be thrown away and counted.
  package var shadowSweep: UInt64 = 1_000_000_000
  /// How long a client may take for what a primary had sent before it reset the connection.
  package var lastWords: UInt64 = 5_000_000_000
  /// How often it is looked whether the client has them.
  package var lastWordsPoll: UInt64 = 5_000_000
  /// How long the health check waits for a primary.
  package var probeTimeout: UInt64 = 1_000_000_000
  /// How long a client of the admin endpoint may take.
  package var adminTimeout: UInt64 = 5_000_000_000
  /// How long a client may say nothing before it is taken to have no PROXY protocol header of its own.
  package var proxyHeaderPatience: UInt64 = 100_000_000
  /// How often it is looked whether a listener that rests for want of descriptors can go on.
  package var acceptRetry: UInt64 = 10_000_000
  /// When a shadow is given up for a while, where a route has breakers.
  package var breaker = CircuitBreaker.Settings()

  package init() {}
}
