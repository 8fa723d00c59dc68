package import Remote

extension MonitService {
  /// Looks at monit on one host and changes nothing. `MonitObservation` reads what it prints.
  ///
  /// Where no daemon runs, monit itself is not asked: its first words ever on a host, even those of
  /// `monit -t`, leave an id file behind. A daemon that is out of reach is asked again for a second:
  /// it closes its listener while it reloads.
  package func survey(timeout: Duration) -> RemoteCommand {
    let controlFile = ShellWord.quoting(controlFile)
    return RemoteCommand(
      """
      service=\(ShellWord.quoting(name)) pidfile=\(ShellWord.quoting(pidFile))
      command -v monit >/dev/null || exit \(MonitFailure.notInstalled.rawValue)
      monit() { command monit -c \(controlFile) "$@" 2>&1; }
      \(MonitScript.findProcess)
      \(MonitScript.findDaemon(controlFile: controlFile))
      tell() { echo "$1 $3"; printf '%s\\n' "$2" | sed "s/^/$1: /"; }
      monit --version | sed -n 's/^This is Monit version /version /p'
      sed -n 's/^[[:space:]]*include[[:space:]]\\{1,\\}/include /p' \(controlFile)
      ! runs || echo "process $pid"
      alive "$daemon" || exit 0
      echo "daemon $daemon"
      said=$(monit -t); tell check "$said" $?
      for try in 1 2 3 4 5 6; do
        said=$(monit status "$service" -B); status=$?
        case $said in *'connection error'* | *'Cannot connect'*) sleep 0.2 ;; *) break ;; esac
      done
      tell status "$said" "$status"
      """,
      timeout: timeout
    )
  }
}

/// What the survey saw of monit on one host.
package struct MonitObservation: Sendable, Hashable, Codable {
  /// nil: monit is not installed, and nothing below was looked at.
  package var version: String?
  /// The daemon's process, if it runs.
  package var daemon: Int32?
  /// monit's words where `monit -t` refuses its configuration; nil: it is valid, or no daemon runs.
  package var configurationError: String?
  /// The `include` patterns of monit's control file itself, not of what these bring in.
  package var includes: [String]
  package var interface: Interface
  package var service: MonitStatus
  /// The process named in the service's pid file, if it runs, whatever monit knows of it.
  package var process: Int32?

  package init(
    version: String?,
    daemon: Int32? = nil,
    configurationError: String? = nil,
    includes: [String] = [],
    interface: Interface = .notAsked,
    service: MonitStatus = MonitStatus(.unknown),
    process: Int32? = nil
  ) {
    self.version = version
    self.daemon = daemon
    self.configurationError = configurationError
    self.includes = includes
    self.interface = interface
    self.service = service
    self.process = process
  }

  /// Whether monit can be asked and told anything.
  package enum Interface: Sendable, Hashable, Codable {
    /// No daemon runs that could answer.
    case notAsked
    case answers
    /// The configuration has no `set httpd` with an `allow`.
    case off
    /// In monit's words.
    case unreachable(String)
  }
}

extension MonitObservation {
  /// Reads what `MonitService.survey` answered; nil if that is not what the script prints.
  package init?(_ result: CommandResult, of service: MonitService) {
    if result.termination == .exited(MonitFailure.notInstalled.rawValue) {
      self.init(version: nil)
      return
    }
    let report = Report(result.text)
    guard result.succeeded, let version = report.value("version") else { return nil }
    let isRefused = report.value("check") ?? "0" != "0"
    self.init(
      version: version,
      daemon: report.value("daemon").flatMap { Int32($0) },
      configurationError: isRefused ? report.said("check") : nil,
      includes: report.values("include").map(Self.unquoting),
      process: report.value("process").flatMap { Int32($0) }
    )
    guard report.value("status") != nil else { return }
    let said = report.said("status")
    if let status = MonitStatus(parsing: said, of: service.name) {
      self.service = status
      interface = .answers
    } else {
      interface = said.contains("interface is not enabled") ? .off : .unreachable(said)
    }
  }

  /// The pattern of an `include` line, whose quotes and comment are not part of it.
  private static func unquoting(_ word: String) -> String {
    if word.hasPrefix("\"") { return String(word.dropFirst().prefix { $0 != "\"" }) }
    return String(word.prefix { !$0.isWhitespace && $0 != "#" })
  }

  private struct Report {
    private let lines: [Substring]

    init(_ text: String) { lines = text.split(separator: "\n") }

    func values(_ key: String) -> [String] { lines.compactMap { $0.after("\(key) ") } }
    func value(_ key: String) -> String? { values(key).first }
    func said(_ key: String) -> String {
      lines.compactMap { $0.after("\(key): ") }.joined(separator: "\n")
    }
  }
}
