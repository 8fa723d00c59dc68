import Remote

/// A running HAProxy on a balancer, as the survey saw it, and what can be said to it. Every command
/// is one script that acts, waits on the balancer itself where there is something to wait for, and
/// proves what it did; `HAProxyResult` reads how it ended.
package struct HAProxyProcess: Sendable, Hashable, Codable {
  /// The file that holds the servers, symlinks resolved.
  package var configuration: String
  /// Everything that the process was started with `-f` for, in order, resolved.
  package var sources: [Source]
  package var executable: String
  package var masterPID: Int
  /// A stats socket of level admin (manual, `stats socket`).
  package var statsSocket: String?
  /// The master CLI (management guide 9.4).
  package var masterSocket: String?
  package var client: SocketClient
  /// For commands that wait for nothing.
  package var timeout: Duration

  package init(
    configuration: String,
    sources: [Source],
    executable: String,
    masterPID: Int,
    statsSocket: String?,
    masterSocket: String?,
    client: SocketClient,
    timeout: Duration
  ) {
    self.configuration = configuration
    self.sources = sources
    self.executable = executable
    self.masterPID = masterPID
    self.statsSocket = statsSocket
    self.masterSocket = masterSocket
    self.client = client
    self.timeout = timeout
  }

  /// One `-f` argument.
  package struct Source: Sendable, Hashable, Codable {
    package var path: String
    /// All `*.cfg` in it, in lexical order.
    package var isFolder: Bool

    package init(path: String, isFolder: Bool) {
      self.path = path
      self.isFolder = isFolder
    }
  }

  /// Where this tool writes down which content it wrote last.
  package static func record(of configuration: String) -> String {
    let name = configuration.split(separator: "/").joined(separator: "_")
    return "/var/lib/duplexctl/\(name).sha256"
  }
}

/// What a balancer has for speaking to a unix socket.
package enum SocketClient: String, Sendable, Hashable, Codable, CaseIterable {
  case socat
  /// perl-base, which every Debian has.
  case perl
  case python3

  /// A command that sends `$1` and a newline to the socket and prints the answer. It closes its own
  /// direction first: the master CLI ends no conversation before that.
  func asking(_ socket: String) -> String {
    let path = ShellWord.quoting(socket)
    return switch self {
    case .socat: #"printf '%s\n' "$1" | socat - UNIX-CONNECT:\#(path)"#
    case .perl:
      #"perl -MIO::Socket::UNIX -e '$s = IO::Socket::UNIX->new(Peer => shift) or die "$!\n"; "#
        + #"$s->print(shift, "\n"); $s->shutdown(1); print while <$s>' \#(path) "$1""#
    case .python3:
      #"python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); "#
        + #"s.connect(sys.argv[1]); s.sendall((sys.argv[2] + "\n").encode()); "#
        + #"s.shutdown(socket.SHUT_WR); "#
        + #"print(s.makefile().read(), end="")' \#(path) "$1""#
    }
  }

  /// A command that succeeds when `$1`, port `$2`, accepts a connection.
  func connecting(seconds: Int) -> String {
    switch self {
    case .socat:
      #"case $1 in *:*) host=[$1] ;; *) host=$1 ;; esac; "#
        + #"socat -u OPEN:/dev/null "TCP:$host:$2,connect-timeout=\#(seconds)""#
    case .perl:
      #"perl -MIO::Socket::IP -e 'IO::Socket::IP->new(PeerHost => shift, PeerPort => shift, "#
        + #"Timeout => \#(seconds)) or die "$@\n"' "$1" "$2""#
    case .python3:
      #"python3 -c 'import socket, sys; "#
        + #"socket.create_connection((sys.argv[1], int(sys.argv[2])), \#(seconds))' "$1" "$2""#
    }
  }

  /// A command that succeeds when `$1`, port `$2`, accepts a connection, and does not end it within half a second
  /// without having said anything.
  func staying(seconds: Int) -> String {
    switch self {
    case .socat:
      #"case $1 in *:*) host=[$1] ;; *) host=$1 ;; esac; "#
        + #"to="TCP:$host:$2,connect-timeout=\#(seconds)"; socat -u OPEN:/dev/null "$to" && "#
        // timeout(1) ends with 124 when the time is over.
        + #"[ "$({ timeout 0.5 socat -u "$to" -; [ $? != 124 ] || echo; } | head -c 1 | wc -c)" = 1 ]"#
    case .perl:
      #"perl -MIO::Socket::IP -MIO::Select -e '$s = IO::Socket::IP->new(PeerHost => shift, "#
        + #"PeerPort => shift, Timeout => \#(seconds)) or die "$@\n"; "#
        + #"!IO::Select->new($s)->can_read(0.5) or $s->sysread($b, 1) or die "closed at once\n"' "$1" "$2""#
    case .python3:
      #"python3 -c 'import select, socket, sys; "#
        + #"s = socket.create_connection((sys.argv[1], int(sys.argv[2])), \#(seconds)); "#
        + #"sys.exit(bool(select.select([s], [], [], 0.5)[0]) and not s.recv(1))' "$1" "$2""#
    }
  }
}

/// A port that the balancer must be able to connect to.
package struct ProbeTarget: Sendable, Hashable, Codable, CustomStringConvertible {
  package var host: String
  package var port: Int
  /// It resets whom it does not let in, so a connection has to stay open to prove something.
  package var choosesClients: Bool

  package init(host: String, port: Int, choosesClients: Bool) {
    self.host = host
    self.port = port
    self.choosesClients = choosesClients
  }

  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// A change of the running process; each is proven by `show servers state` before it counts.
package enum RuntimeChange: Sendable, Hashable {
  case maintenance(ServerID)
  /// The address stays, the port changes.
  case address(ServerID, port: Int)
  /// In service again, be it up or down.
  case inRotation(ServerID)
  /// In service again, and up where it is checked.
  case ready(ServerID, deadline: Duration)
}

/// Whether the new content was checked ahead of time, as part of the same plan.
package enum Validation: String, Sendable, Hashable, Codable {
  case now
  case alreadyPassed
}
