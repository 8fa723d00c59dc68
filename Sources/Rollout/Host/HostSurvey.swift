package import Fleet
package import Remote

/// Reads, and only reads, what a host looks like apart from monit.
package enum HostSurvey {
  /// One script that prints a line per fact: a key, a space, the value.
  ///
  /// - Parameter executable: the SHA-256 of the proxy that would be deployed.
  package static func command(for host: Host, executable: String) -> RemoteCommand {
    let paths = HostPaths(host.proxy)
    let files = [
      paths.executable(sha256: executable), paths.configuration, paths.runner, paths.controlFile,
    ]
    let ports =
      host.routes.map(\.listenPort) + [host.proxy.adminPort]
      + host.routes.compactMap(\.localPrimaryPort)
    let filter = ports.map { "sport = :\($0)" }.joined(separator: " or ")
    let pidFile = ShellWord.quoting(paths.pidFile)
    return RemoteCommand(
      """
      say() { printf '%s\\n' "$*"; }
      say architecture "$(uname -m)"
      say uid "$(id -u)"
      id -u \(ShellWord.quoting(host.proxy.user)) >/dev/null 2>&1 && say user
      getent group \(ShellWord.quoting(host.proxy.group)) >/dev/null 2>&1 && say group
      for tool in ss sha256sum readlink; do
        command -v $tool >/dev/null 2>&1 || say missing $tool
      done
      for file in \(ShellWord.line(files)); do
        [ -f "$file" ] && say file "$(sha256sum <"$file" | cut -c1-64) $file"
      done
      link=$(readlink \(ShellWord.quoting(paths.link))) && say link "$link"
      pid=$(cat \(pidFile) 2>/dev/null) && exe=$(readlink "/proc/$pid/exe") && {
        say process "$pid $exe"
        [ \(ShellWord.quoting(paths.configuration)) -nt \(pidFile) ] && say stale
        \(ShellWord.quoting(paths.link)) ask /health --admin 127.0.0.1:\(host.proxy.adminPort) \
      --timeout 2 >/dev/null 2>&1
        say health $?
        \(ShellWord.quoting(paths.link)) ask /metrics --admin 127.0.0.1:\(host.proxy.adminPort) \
      --timeout 2 2>/dev/null | awk '
          /^duplex_shadow_connections_total/ { shadows++; connections += $NF }
          /^duplex_shadow_bytes_total/ { bytes += $NF }
          /^duplex_shadow_drops_total/ { drops += $NF }
          /^duplex_shadow_skipped_total/ && !/reason="(off|sample)"/ { skips += $NF }
          /^duplex_shadow_skipped_total/ && /reason="sample"/ { unsampled += $NF }
          /^duplex_copying / { off = $NF == 0 }
          /^duplex_shadow_breaker_state/ { open += $NF != 0 }
          END { printf "copies %d %d %.0f %d %d %d %d %d\\n", \
            shadows, connections, bytes, drops, skips, unsampled, off, open }'
        say version "$(\(ShellWord.quoting(paths.link)) --version 2>/dev/null)"
      }
      ss -Hltnp \(ShellWord.quoting("( \(filter) )")) 2>/dev/null | while read -r line; do
        say listener "$line"
      done
      for path in \(ShellWord.line(host.routes.compactMap(\.primarySocket))); do
        [ -S "$path" ] && say socket "$path"
      done
      try() { timeout 1 bash -c ": </dev/tcp/$1/$2" 2>/dev/null || say deaf "$3"; }
      command -v bash >/dev/null && { \(host.shadowTrials) }
      wait
      say end
      """,
      timeout: host.timeouts.command
    )
  }

  /// What the script said; nil where it did not get to its end.
  package static func reading(_ result: CommandResult) -> HostObservation? {
    var observation = HostObservation()
    var isComplete = false
    for line in result.text.split(separator: "\n") {
      let (key, value) = line.cutting(at: " ")
      switch key {
      case "architecture": observation.architecture = value
      case "uid": observation.isRoot = value == "0"
      case "user": observation.hasUser = true
      case "group": observation.hasGroup = true
      case "missing": observation.missingTools.append(value)
      case "file":
        let (digest, path) = value[...].cutting(at: " ")
        observation.digests[path] = digest
      case "link": observation.link = value
      case "process":
        let (pid, executable) = value[...].cutting(at: " ")
        observation.process = Int(pid).map { .init(pid: $0, executable: executable) }
      case "stale": observation.process?.configurationIsNewer = true
      case "health": observation.process?.isHealthy = value == "0"
      case "copies":
        observation.process?.copies = .init(value)
      case "version":
        observation.process?.version = value.split(separator: " ").last.map(String.init)
      case "listener":
        if let listener = HostObservation.Listener(line: value) {
          observation.listeners.append(listener)
        }
      case "socket": observation.sockets.append(value)
      case "deaf": observation.deafShadows.append(value)
      case "end": isComplete = true
      default: break
      }
    }
    return isComplete ? observation : nil
  }
}

/// What the shadows of a proxy have got since it started.
package struct ShadowCopies: Sendable, Hashable, Codable {
  /// Of all routes.
  package var shadows: Int
  package var connections: Int
  package var bytes: Int
  /// Connections whose shadow was given up: it refused, lagged or broke off.
  package var drops: Int
  /// Copies that were not begun, for their rate, a breaker, or want of something.
  package var skips: Int
  /// Copies that were not begun as the client is not in the sample.
  package var unsampled: Int
  /// Copying is switched off.
  package var isOff: Bool
  /// Breakers that are not closed: their shadows get nothing, or a probe.
  package var openBreakers: Int

  package init(
    shadows: Int,
    connections: Int,
    bytes: Int,
    drops: Int,
    skips: Int = 0,
    unsampled: Int = 0,
    isOff: Bool = false,
    openBreakers: Int = 0
  ) {
    self.shadows = shadows
    self.connections = connections
    self.bytes = bytes
    self.drops = drops
    self.skips = skips
    self.unsampled = unsampled
    self.isOff = isOff
    self.openBreakers = openBreakers
  }

  /// Reads `SHADOWS CONNECTIONS BYTES DROPS SKIPS UNSAMPLED OFF BREAKERS`; OFF is 0 or 1.
  init?(_ text: String) {
    let numbers = text.split(separator: " ").compactMap { Int($0) }
    guard numbers.count == 8 else { return nil }
    self.init(
      shadows: numbers[0],
      connections: numbers[1],
      bytes: numbers[2],
      drops: numbers[3],
      skips: numbers[4],
      unsampled: numbers[5],
      isOff: numbers[6] != 0,
      openBreakers: numbers[7]
    )
  }
}

/// What a host looks like, apart from monit.
package struct HostObservation: Sendable, Hashable, Codable {
  /// As `uname -m` prints it.
  package var architecture = ""
  package var isRoot = false
  package var hasUser = false
  package var hasGroup = false
  package var missingTools: [String] = []
  /// SHA-256 of the deployed files that are there, by path.
  package var digests: [String: String] = [:]
  /// Where the executable's symlink points.
  package var link: String?
  package var process: Process?
  package var listeners: [Listener] = []
  /// Unix sockets of primaries that are there.
  package var sockets: [String] = []
  /// Shadows that accept no connection from the host.
  package var deafShadows: [String] = []

  package init() {}

  /// The proxy that runs, by its pid file.
  package struct Process: Sendable, Hashable, Codable {
    package var pid: Int
    package var executable: String
    /// The configuration on disk is newer than the process.
    package var configurationIsNewer = false
    package var isHealthy = false
    package var version: String?
    /// What its shadows have got so far.
    package var copies: ShadowCopies?

    package init(pid: Int, executable: String) {
      self.pid = pid
      self.executable = executable
    }
  }

  /// A listening TCP socket on one of the ports that matter.
  package struct Listener: Sendable, Hashable, Codable {
    package var address: String
    package var port: Int
    /// Whose it is, where the kernel says.
    package var program: String?
    package var pid: Int?
    /// Other processes that have it as well: the proxy's workers have it of their supervisor.
    package var otherPids: [Int] = []

    package init(address: String, port: Int, program: String? = nil, pid: Int? = nil) {
      self.address = address
      self.port = port
      self.program = program
      self.pid = pid
    }

    /// Reads a line of `ss -Hltnp`:
    /// `LISTEN 0 511 0.0.0.0:81 0.0.0.0:* users:(("nginx",pid=12,fd=6))`.
    package init?(line: String) {
      let words = line.split(separator: " ", omittingEmptySubsequences: true)
      guard words.count >= 5, let colon = words[3].lastIndex(of: ":"),
        let port = Int(words[3][words[3].index(after: colon)...])
      else { return nil }
      self.init(address: String(words[3][..<colon]), port: port)
      guard words.count >= 6 else { return }
      let users = words[5...].joined(separator: " ")
      program = users.between("((\"", "\"")
      let pids = users.split(separator: "(").compactMap { user in
        String(user).between("pid=", ",").flatMap { Int($0) }
      }
      pid = pids.first
      otherPids = Array(pids.dropFirst())
    }

    /// Whether a process is among those that have it.
    package func isHeld(by process: Int?) -> Bool {
      process.map { pid == $0 || otherPids.contains($0) } ?? false
    }
  }
}

extension Host {
  /// Commands that try each shadow once, all at the same time. bash itself connects: nothing else
  /// that could is on every host.
  fileprivate var shadowTrials: String {
    var trials: [String] = []
    for shadow in routes.flatMap(\.shadows) {
      guard case .tcp(let address, let port) = shadow else { continue }
      let trial = "try " + ShellWord.line([address, String(port), shadow.description]) + " &"
      if !trials.contains(trial) { trials.append(trial) }
    }
    return (trials + [":;"]).joined(separator: " ")
  }
}

extension Route {
  /// The primary's port where it is on the host itself.
  package var localPrimaryPort: Int? {
    guard case .tcp(let host, let port) = primary, host.hasPrefix("127.") || host == "::1" else {
      return nil
    }
    return port
  }

  package var primarySocket: String? {
    guard case .unix(let path) = primary else { return nil }
    return path
  }
}

extension Substring {
  /// What stands before and after the first `separator`; after it nothing where there is none.
  fileprivate func cutting(at separator: Character) -> (String, String) {
    guard let index = firstIndex(of: separator) else { return (String(self), "") }
    return (String(self[..<index]), String(self[self.index(after: index)...]))
  }
}

extension String {
  /// What stands between the first `opening` and the next `closing`.
  fileprivate func between(_ opening: String, _ closing: String) -> String? {
    guard let start = firstRange(of: opening)?.upperBound,
      let end = self[start...].firstRange(of: closing)?.lowerBound
    else { return nil }
    return String(self[start..<end])
  }
}
