import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// What the trial of an executable leaves behind.
  @Suite struct Trial {
    /// The patience with a trial that hangs is 10 s.
    @Test(arguments: ["exit 3", "wait"])
    func `what an executable starts in its trial ends with it`(_ rest: String) throws {
      let primary = EchoPrimary()
      let (link, next, started) = (TestFile(""), TestFile(""), TestFile(""))
      link.point(to: Executable.path)
      let flags = ["-r", "\(primary.address)", "--engine", Engine.tested.rawValue]
      let program = try Executable(flags, path: link.path)
      next.write("#!/bin/sh\nsleep 300 &\necho $! >\(started.path)\n\(rest)\n")
      next.makeExecutable()
      link.point(to: next.path)

      program.signal(SIGUSR2)
      let logged = TestProxy.eventually(
        seconds: 20,
        { program.logged },
        isReached: { $0.contains("goes on") }
      )

      let child = try #require(pid_t(started.text.filter(\.isNumber)))
      let isAlive = TestProxy.eventually({ runs(child) }, isReached: { !$0 })
      #expect(logged.contains("upgrade to \(link.path) refused, its trial"))
      #expect(!isAlive)
      if isAlive { kill(child, SIGKILL) }
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }
  }
}

/// A process that is dead, and not buried yet, does not.
private func runs(_ pid: pid_t) -> Bool {
  guard case .success(let stat) = TextFile.read("/proc/\(pid)/stat") else { return false }
  return !stat.contains(") Z ")
}
