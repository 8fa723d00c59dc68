import Foundation
import Monit
import Remote
import TestSupport
import Testing

/// A real monit of the test's own, with its files in a folder of the test's, and a real process for
/// it to watch.
final class PracticeMonit: Sendable {
  let folder: TemporaryFolder
  let service: MonitService
  private let host = LocalHost()

  /// - Parameter interface: monit's `set httpd` lines; nil: on a unix socket in the folder.
  init(interface: String? = nil) throws {
    folder = try TemporaryFolder()
    service = MonitService(
      name: "proxy",
      pidFile: folder.path(of: "it's/proxy.pid"),
      controlFile: folder.path(of: "monitrc")
    )
    try folder.write([], to: "it's/empty")
    try folder.write([], to: "conf.d/.keep")
    try writeControlFile(interface: interface)
  }

  func writeControlFile(interface: String? = nil) throws {
    let path = folder.path
    try folder.write(
      """
      set daemon 60
      set pidfile "\(path)/monit.pid" # its own
      set idfile \(path)/id
      set statefile \(path)/state
      set log \(path)/log
      \(interface ?? "set httpd unixsocket \(path)/socket\n  allow tester:tested")
      include \(path)/conf.d/*

      """,
      to: "monitrc"
    )
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o600],
      ofItemAtPath: path + "/monitrc"
    )
  }

  /// - Parameter start: shell that starts the process and writes its pid to `$pidfile`.
  func writeService(
    start: String = "setsid sleep 1000 </dev/null >/dev/null 2>&1 & echo $! >\"$pidfile\""
  ) throws {
    let pidFile = "pidfile=\(ShellWord.quoting(service.pidFile))\n"
    let start = try folder.write(pidFile + start + "\n", to: "start")
    let stop = try folder.write(pidFile + "read -r pid <\"$pidfile\"; kill \"$pid\"\n", to: "stop")
    try folder.write(
      """
      check process proxy with pidfile "\(service.pidFile)"
        start program = "/bin/sh \(start)" with timeout 5 seconds
        stop program = "/bin/sh \(stop)" with timeout 5 seconds
        onreboot nostart

      """,
      to: "conf.d/proxy"
    )
  }

  func startDaemon() async throws {
    let said = try await run("monit -c \(ShellWord.quoting(service.controlFile))")
    try #require(said.succeeded, "\(said.errorText)")
    let end = ContinuousClock.now + .seconds(10)
    while true {
      switch try await observe().interface {
      case .answers, .off: return
      case .notAsked, .unreachable: try #require(ContinuousClock.now < end, "monit did not start")
      }
    }
  }

  func perform(_ acts: MonitAct..., within deadline: Duration = .seconds(20)) async throws
    -> MonitResult
  {
    MonitResult(try await host.run(service.command(acts, deadline: deadline)))
  }

  func observe() async throws -> MonitObservation {
    try #require(
      MonitObservation(try await host.run(service.survey(timeout: .seconds(10))), of: service)
    )
  }

  @discardableResult
  func run(_ script: String) async throws -> CommandResult {
    try await host.run(RemoteCommand(script, timeout: .seconds(20)))
  }

  /// Ends the service's process and monit itself, and waits until both are gone.
  func shutDown() async throws {
    for name in ["monit.pid", "it's/proxy.pid"] {
      try await run(
        """
        read -r pid <\(ShellWord.quoting(folder.path(of: name))) || exit 0
        kill "$pid" || exit 0
        for i in 1 2 3 4 5 6 7 8 9; do [ -e "/proc/$pid/exe" ] || exit 0; sleep 0.1; done
        kill -KILL "$pid"
        """
      )
    }
  }
}

/// Runs `body` with a monit of its own, which is gone afterwards whatever happens.
func withMonit(
  interface: String? = nil,
  running: Bool = true,
  _ body: (PracticeMonit) async throws -> Void
) async throws {
  let monit = try PracticeMonit(interface: interface)
  if running { try await monit.startDaemon() }
  do {
    try await body(monit)
  } catch {
    try await monit.shutDown()
    throw error
  }
  try await monit.shutDown()
}
