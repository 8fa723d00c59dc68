import Foundation
import Monit
import Remote
import TestSupport
import Testing

/// The scripts, run for real against monits of the tests' own.
struct MonitScriptTests {
  @Test func `a new service is read, started, and seen to run`() async throws {
    try await withMonit { monit in
      try monit.writeService()

      let result = try await monit.perform(.reload, .start)

      let process = try await monit.observe().process
      #expect(process != nil)
      #expect(result == .done(process: process))
    }
  }

  @Test func `a stopped service's process is gone`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      _ = try await monit.perform(.reload, .start)

      let result = try await monit.perform(.stop)

      #expect(result == .done(process: nil))
      #expect(try await monit.observe().process == nil)
    }
  }

  @Test func `starting and stopping twice does no harm`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      let first = try await monit.perform(.reload, .start)

      #expect(try await monit.perform(.start) == first)
      #expect(try await monit.perform(.stop) == .done(process: nil))
      #expect(try await monit.perform(.stop) == .done(process: nil))
    }
  }

  @Test func `an order right after a reload is not lost`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      _ = try await monit.perform(.reload, .start)

      for _ in 0..<3 {
        #expect(try await monit.perform(.reload, .stop) == .done(process: nil))
        guard case .done(.some) = try await monit.perform(.reload, .start) else {
          Issue.record("not started")
          return
        }
      }
    }
  }

  @Test func `an order right after somebody else's reload is not lost`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      _ = try await monit.perform(.reload, .start)

      try await monit.run("monit -c \(monit.service.controlFile) reload")

      #expect(try await monit.perform(.stop) == .done(process: nil))
    }
  }

  @Test func `a restarted service has another process`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      let before = try await monit.perform(.reload, .start)

      let after = try await monit.perform(.stop, .start)

      guard case .done(.some) = after else {
        Issue.record("\(after)")
        return
      }
      #expect(after != before)
    }
  }

  @Test func `a forgotten service is unknown to monit`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      _ = try await monit.perform(.reload)
      try monit.folder.remove("conf.d/proxy")

      #expect(try await monit.perform(.forget) == .done(process: nil))
      #expect(try await monit.observe().service == MonitStatus(.unknown))
    }
  }

  @Test func `a pid file left by a process that is gone means nothing`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      _ = try await monit.perform(.reload, .start)
      try await monit.run(
        "read -r pid <\(ShellWord.quoting(monit.service.pidFile)); kill -KILL $pid"
      )

      #expect(try await monit.observe().process == nil)
      guard case .done(.some) = try await monit.perform(.start, within: .seconds(20)) else {
        Issue.record("not started")
        return
      }
    }
  }

  @Test func `a pid file without a number means nothing`() async throws {
    try await withMonit { monit in
      try monit.folder.write("1/../\(getpid())\n", to: "it's/proxy.pid")

      #expect(try await monit.observe().process == nil)
      try monit.folder.remove("it's/proxy.pid")
    }
  }

  @Test func `monit may take its orders on a port`() async throws {
    let port = Int.random(in: 20000..<30000)
    try await withMonit(
      interface: "set httpd port \(port) address 127.0.0.1\n  allow tester:tested"
    ) { monit in
      try monit.writeService()

      guard case .done(.some) = try await monit.perform(.reload, .start) else {
        Issue.record("not started")
        return
      }
    }
  }

  @Test func `a service without a process after its start is not called started`() async throws {
    try await withMonit { monit in
      try monit.writeService(start: "exit 1")

      let result = try await monit.perform(.reload, .start, within: .seconds(3))

      guard case .failed(.deadlinePassed, _) = result else {
        Issue.record("\(result)")
        return
      }
    }
  }

  @Test func `a configuration monit refuses is not loaded`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      _ = try await monit.perform(.reload)
      try monit.folder.write("check nonsense\n", to: "conf.d/other")

      let result = try await monit.perform(.reload, .start)

      guard case .failed(.configurationInvalid, let said) = result else {
        Issue.record("\(result)")
        return
      }
      #expect(said.contains("syntax error"))
    }
  }

  @Test func `a service monit does not know is named as such`() async throws {
    try await withMonit { monit in
      let result = try await monit.perform(.start)

      #expect(result == .failed(.serviceUnknown, said: "There is no service named \"proxy\""))
    }
  }

  @Test func `without a daemon nothing is started behind its back`() async throws {
    try await withMonit(running: false) { monit in
      try monit.writeService()

      let result = try await monit.perform(.start)

      #expect(result == .failed(.daemonNotRunning, said: "the monit daemon is not running"))
      #expect(try await monit.observe().process == nil)
    }
  }

  @Test func `a monit that takes no orders is named as such`() async throws {
    try await withMonit(interface: "# no set httpd") { monit in
      try monit.writeService()

      for acts in [[MonitAct.start], [.stop], [.reload]] {
        let command = monit.service.command(acts, deadline: .seconds(5))
        guard case .failed(.interfaceOff, _) = MonitResult(try await LocalHost().run(command))
        else {
          Issue.record("\(acts)")
          return
        }
      }
    }
  }

  @Test func `the script says how it can end`() {
    let service = MonitService(name: "a b", pidFile: "/run/it's.pid")

    let command = service.command([.start], deadline: .milliseconds(1500))

    #expect(
      command.script.hasPrefix(
        #"""
        service='a b' pidfile='/run/it'\''s.pid'
        monit() { command monit -c /etc/monit/monitrc "$@" 2>&1; }
        """#
      )
    )
    #expect(command.script.contains("end=$((up + 200))"))
    #expect(command.timeout == .milliseconds(11500))
  }
}
