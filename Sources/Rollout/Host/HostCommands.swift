package import Fleet
package import Remote

/// What is said to a host apart from monit: deploying, and asking the proxy how it is.
package struct HostCommands: Sendable {
  private let host: Host
  private let paths: HostPaths

  package init(_ host: Host) {
    self.host = host
    paths = HostPaths(host.proxy)
  }

  /// How a script of this type ends, told by its exit status.
  package enum Ending: Int32, Sendable {
    case done = 0
    /// What arrived is not what was sent.
    case damaged = 10
    /// The deadline passed.
    case deadline = 11
  }

  /// Brings the executable, named by its content: to a temporary name, checked, synced, renamed.
  package func upload(_ executable: Executable) -> RemoteCommand {
    let path = ShellWord.quoting(paths.executable(sha256: executable.sha256))
    return RemoteCommand(
      """
      set -e
      umask 022
      mkdir -p \(ShellWord.quoting(paths.directory))
      new=\(ShellWord.quoting(paths.directory))/.duplex-proxy.$$
      trap 'rm -f "$new"' EXIT
      cat >"$new"
      echo "\(executable.sha256)  $new" | sha256sum -c --status || exit \(Ending.damaged.rawValue)
      chmod 755 "$new"
      sync "$new"
      mv -f "$new" \(path)
      """,
      input: .bytes(executable.bytes, description: executable.description),
      timeout: host.timeouts.command + .seconds(executable.bytes.count / 100_000)
    )
  }

  package func removeExecutable(sha256: String) -> RemoteCommand {
    RemoteCommand(
      """
      rm -f \(ShellWord.quoting(paths.executable(sha256: sha256)))
      rmdir \(ShellWord.quoting(paths.directory)) 2>/dev/null || :
      """,
      timeout: host.timeouts.command
    )
  }

  /// Writes the files that differ, keeping what was there before, and points the executable's
  /// symlink at the version wanted; without one it stays. All is kept before anything is written:
  /// where `previous` is, it is whole.
  package func install(_ files: [HostFile], executable: Executable?) -> RemoteCommand {
    let link = ShellWord.quoting(paths.link)
    let pointing = executable.map { executable in
      """
      ln -s \(ShellWord.quoting("duplex-proxy-\(executable.sha256.prefix(12))")) \(link).new
      mv -fT \(link).new \(link)

      """
    }
    let puts = files.map { file in
      let mode = String(file.mode, radix: 8)
      let text = String(decoding: file.contents, as: UTF8.self)
      return "put \(ShellWord.quoting(file.path)) \(mode) \(ShellWord.quoting(text))"
    }
    return RemoteCommand(
      """
      set -e
      umask 022
      previous=\(ShellWord.quoting(paths.previous))
      rm -rf "$previous" "$previous.new"
      mkdir -p "$previous.new"
      for file in \(ShellWord.line(files.map(\.path))); do
        [ ! -e "$file" ] || cp -p "$file" "$previous.new/"
      done
      readlink \(link) >"$previous.new/link" || :
      echo \(Self.mark(executable, files)) >"$previous.new/mark"
      mv -T "$previous.new" "$previous"
      put() {
        new=$(dirname "$1")/.$(basename "$1").new
        printf %s "$3" >"$new"
        chmod "$2" "$new"
        mv -f "$new" "$1"
      }
      \(puts.joined(separator: "\n"))
      \(pointing ?? "")sync \(ShellWord.quoting(paths.directory))
      """,
      timeout: host.timeouts.command
    )
  }

  /// Whether the proxy would start with what was installed: it says what it does not understand.
  package func checkConfiguration() -> RemoteCommand {
    RemoteCommand(
      ShellWord.line([paths.link, "--check", "--config", paths.configuration]),
      privilege: .login,
      timeout: host.timeouts.command
    )
  }

  /// The same command, which ends with the proxy's last words where it fails.
  package func tellingLog(_ command: RemoteCommand) -> RemoteCommand {
    let log = ShellWord.quoting(paths.log)
    var telling = command
    telling.script = """
      trap '[ $? = 0 ] || { echo "the end of "\(log)":"; tail -n 2 \(log); } >&2' EXIT
      \(command.script)
      """
    return telling
  }

  /// The way back from `install`: what was there before, or nothing where nothing was.
  /// Does nothing where this very install did not get as far as writing. A configuration that is put back gets today's
  /// date where the proxy that runs has read what it replaces: so it is newer than the process.
  package func restore(_ files: [HostFile], executable: Executable?) -> RemoteCommand {
    let names = ShellWord.line(files.map(\.path))
    let link = ShellWord.quoting(paths.link)
    let configuration = ShellWord.quoting(paths.configuration)
    let pidFile = ShellWord.quoting(paths.pidFile)
    let restoresConfiguration = files.contains { $0.path == paths.configuration }
    let pointing = """
      rm -f \(link) \(link).new
      old=$(cat "$previous/link")
      [ -z "$old" ] || ln -s "$old" \(link)

      """
    let dating = """
      [ -z "$read" ] || [ ! -e \(configuration) ] || touch \(configuration)

      """
    return RemoteCommand(
      """
      set -e
      previous=\(ShellWord.quoting(paths.previous))
      rm -rf "$previous.new"
      [ -d "$previous" ] || exit 0
      [ "$(cat "$previous/mark")" = \(Self.mark(executable, files)) ] || exit 0
      read=
      [ ! -e \(pidFile) ] || [ \(configuration) -nt \(pidFile) ] || read=yes
      for file in \(names); do
        rm -f "$file"
        [ ! -e "$previous/$(basename "$file")" ] || cp -p "$previous/$(basename "$file")" "$file"
      done
      \(restoresConfiguration ? dating : "")\(executable == nil ? "" : pointing)rm -rf "$previous"
      rmdir \(ShellWord.quoting(paths.directory)) 2>/dev/null || :
      """,
      timeout: host.timeouts.command
    )
  }

  /// What the runner can have a proxy do that runs and goes on running, in its words.
  package enum RunningChange: String, Sendable {
    /// Go on with the executable and the configuration that are there.
    case upgrade
    /// Read the configuration.
    case reload
  }

  /// Has the proxy that runs go on with what was installed, and waits until it does.
  package func change(_ change: RunningChange) -> RemoteCommand {
    RemoteCommand(
      ShellWord.line([paths.runner, change.rawValue]),
      timeout: host.timeouts.start + host.timeouts.command
    )
  }

  /// The way back from `change`, once the files are what they were; nothing to do where the proxy that runs is of the
  /// executable that was put back, and has read the configuration that was put back.
  package func changeBack(_ change: RunningChange) -> RemoteCommand {
    RemoteCommand(
      """
      pid=$(cat \(ShellWord.quoting(paths.pidFile))) || exit 1
      [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f \(ShellWord.quoting(paths.link)))" ] &&
        [ ! \(ShellWord.quoting(paths.configuration)) -nt \(ShellWord.quoting(paths.pidFile)) ] && exit 0
      exec \(ShellWord.line([paths.runner, change.rawValue]))
      """,
      timeout: host.timeouts.start + host.timeouts.command
    )
  }

  /// Waits until the proxy answers that every route listens and its primary accepts.
  package func awaitHealth() -> RemoteCommand {
    ask("/health --wait \(host.timeouts.health.wholeSeconds)", within: host.timeouts.health)
  }

  /// Looks once whether the proxy is healthy, and prints the bytes that it has relayed so far.
  package func lookAgain() -> RemoteCommand {
    RemoteCommand(
      """
      \(ShellWord.quoting(paths.link)) ask /health --timeout 5 --admin \(admin) || exit 1
      \(summing("duplex_bytes_total"))
      sum
      """,
      privilege: .login,
      timeout: host.timeouts.command
    )
  }

  /// Waits until bytes come through the proxy: status 0, or `deadline` where none do. Either way it
  /// prints the bytes relayed so far.
  package func awaitTraffic() -> RemoteCommand {
    watching(
      "duplex_bytes_total",
      host.timeouts.verify,
      until: #"[ "$now" != "$start" ]"#
    )
  }

  /// Waits until no connection is open through the proxy.
  package func awaitIdle() -> RemoteCommand {
    watching(
      "duplex_connections_open",
      host.timeouts.drain,
      until: #"[ "$now" -eq 0 ]"#
    )
  }

  private func ask(_ words: String, within deadline: Duration) -> RemoteCommand {
    RemoteCommand(
      "\(ShellWord.quoting(paths.link)) ask \(words) --admin \(admin)",
      privilege: .login,
      timeout: deadline + host.timeouts.command
    )
  }

  /// `sum`: prints one of the proxy's metrics, summed over its labels.
  private func summing(_ metric: String) -> String {
    """
    sum() {
      \(ShellWord.quoting(paths.link)) ask /metrics --admin \(admin) |
        awk '/^\(metric)[{ ]/ { sum += $NF } END { printf "%.0f\\n", sum }'
    }
    """
  }

  /// Tells one install from another (FNV-1a): what an earlier one kept must not be put back by the
  /// undo of one that never began.
  private static func mark(_ executable: Executable?, _ files: [HostFile]) -> String {
    let words =
      [Array((executable?.sha256 ?? "").utf8)]
      + files.flatMap { [Array($0.path.utf8), $0.contents] }
    let hash = words.joined(separator: [0]).reduce(0xcbf2_9ce4_8422_2325 as UInt64) {
      ($0 ^ UInt64($1)) &* 0x100_0000_01b3
    }
    return String(hash, radix: 16)
  }

  private var admin: String { "127.0.0.1:\(host.proxy.adminPort)" }

  /// Polls the sum of one of the proxy's metrics until a condition on it holds.
  private func watching(
    _ metric: String,
    _ deadline: Duration,
    until condition: String
  ) -> RemoteCommand {
    RemoteCommand(
      """
      \(summing(metric))
      \(ShellDeadline.starting(deadline))
      start=$(sum)
      while now=$(sum); do
        \(condition) && { echo "$now"; exit 0; }
        ! late || { echo "$now"; exit \(Ending.deadline.rawValue); }
        sleep 0.02
      done
      exit 1
      """,
      privilege: .login,
      timeout: deadline + host.timeouts.command
    )
  }
}

/// The proxy's executable as it is carried to the hosts.
package struct Executable: Sendable, Hashable {
  package var bytes: [UInt8]
  /// Lower-case hex.
  package var sha256: String
  /// As `uname -m` would print it.
  package var architecture: String

  package init(bytes: [UInt8], sha256: String, architecture: String) {
    self.bytes = bytes
    self.sha256 = sha256
    self.architecture = architecture
  }

  package var description: String {
    "duplex-proxy, \(bytes.count) bytes, sha256 \(sha256)"
  }
}
