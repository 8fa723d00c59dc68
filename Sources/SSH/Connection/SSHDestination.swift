package import Remote
package import SystemPackage

/// Where to log in, as whom, and how long to wait for it. Paths are absolute: `~` is the caller's
/// business.
package struct SSHDestination: Sendable, Hashable {
  /// A name or an IP address; also the name that is looked up in known_hosts.
  package var address: String
  package var port: Int
  package var user: String
  /// Private keys, tried in this order after the agent's. Files that do not exist are passed over.
  package var keyFiles: [FilePath]
  /// The socket of ssh-agent (`$SSH_AUTH_SOCK`), or nil to do without.
  package var agentSocket: FilePath?
  /// Files of known host keys. Files that do not exist are passed over; none is ever written to.
  package var knownHostsFiles: [FilePath]
  /// How the user becomes root there.
  package var elevation: Elevation
  /// For all of it: name, TCP, key exchange, authentication. Time a person takes to type a
  /// passphrase does not count.
  package var connectTimeout: Duration
  /// How long the machine may be silent during a command before it is asked for a sign of life; two
  /// seconds at least, since libssh2 asks no oftener.
  package var keepAliveInterval: Duration
  /// After so many intervals without a sign of life the connection counts as lost.
  package var keepAliveLimit: Int

  package init(
    address: String,
    port: Int = 22,
    user: String,
    keyFiles: [FilePath] = [],
    agentSocket: FilePath? = nil,
    knownHostsFiles: [FilePath],
    elevation: Elevation = .alreadyRoot,
    connectTimeout: Duration = .seconds(10),
    keepAliveInterval: Duration = .seconds(5),
    keepAliveLimit: Int = 3
  ) {
    self.address = address
    self.port = port
    self.user = user
    self.keyFiles = keyFiles
    self.agentSocket = agentSocket
    self.knownHostsFiles = knownHostsFiles
    self.elevation = elevation
    self.connectTimeout = connectTimeout
    self.keepAliveInterval = keepAliveInterval
    self.keepAliveLimit = keepAliveLimit
  }
}
