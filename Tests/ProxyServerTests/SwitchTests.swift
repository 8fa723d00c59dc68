import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// Copying switched while one worker takes over from another, or dies: who has the answer has the switch.
  @Suite struct Switching {
    private let engine = ["--engine", Engine.tested.rawValue]

    @Test func `a worker that has handed over switches the one that serves`() throws {
      let setting = try Setting(engine)
      let program = setting.program
      // Keeps the first worker until it is closed.
      let client = try setting.connect()
      let late = try Peer(connectingTo: program.admin.port!)
      program.signal(SIGUSR2)
      _ = TestProxy.eventually({ program.logged }, isReached: { $0.contains("has taken over") })
      #expect(program.childProcesses.count == 2)

      try late.send(Array("PUT /shadow/off HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
      let answer = String(decoding: try late.receive(), as: UTF8.self)
      let status = try TestProxy.eventually(
        { try setting.order("status") },
        isReached: { $0.hasPrefix("copying off ") }
      )

      #expect(answer.contains("copying off since "), "\(answer)")
      #expect(status.hasPrefix("copying off since "))
      #expect(try setting.isCopied() == false)
      for peer in [client, late] { peer.close() }
      setting.end()
    }

    @Test func `copying that is switched on while the next worker gets ready is on there too`()
      throws
    {
      let (link, next) = (TestFile(""), TestFile(""))
      link.point(to: Executable.path)
      let setting = try Setting(engine, path: link.path)
      next.write(
        """
        #!/bin/sh
        DUPLEX_TEST_WORKER=dawdles exec \(Executable.path(of: "unready-proxy")) "$@"

        """
      )
      next.makeExecutable()
      link.point(to: next.path)
      _ = try setting.order("off")
      setting.program.signal(SIGUSR2)
      _ = TestProxy.eventually(
        { setting.program.childProcesses },
        isReached: { $0.count == 2 && setting.program.logged.contains("upgrading to") }
      )

      let on = try setting.order("on")
      #expect(!setting.program.logged.contains("has taken over"))
      _ = TestProxy.eventually(
        { setting.program.logged },
        isReached: { $0.contains("has taken over") }
      )
      let status = try TestProxy.eventually(
        { try setting.order("status") },
        isReached: { $0.hasPrefix("copying on ") }
      )

      #expect(on.hasPrefix("copying on since "))
      #expect(status.hasPrefix("copying on since "))
      #expect(try setting.isCopied())
      setting.end()
    }

    @Test func `what a worker said before it died is known to the next`() throws {
      let setting = try Setting(engine)
      let program = setting.program
      let worker = try program.worker()
      try setting.connect().close()

      // Both answers and the death wait for the supervisor.
      program.signal(SIGSTOP)
      let on = try setting.order("on")
      let off = try setting.order("off")
      kill(worker, SIGKILL)
      _ = TestProxy.eventually({ isDead(worker) }, isReached: { $0 })
      program.signal(SIGCONT)
      _ = TestProxy.eventually({ program.childProcesses }, isReached: { !$0.contains(worker) })
      _ = try program.worker()
      let status = try setting.order("status")

      #expect(on.hasPrefix("copying on since "))
      #expect(off.hasPrefix("copying off since "))
      #expect(status.hasPrefix("copying off since "))
      #expect(try setting.isCopied() == false)
      setting.end()
    }

    private func isDead(_ pid: pid_t) -> Bool {
      guard case .success(let text) = TextFile.read("/proc/\(pid)/stat") else { return true }
      return text.contains(") Z ")
    }

    /// A proxy, its primary, and its shadow.
    private struct Setting {
      let primary = EchoPrimary()
      let shadow = Listener()
      let program: Executable

      init(_ engine: [String], path: String = Executable.path) throws {
        let flags = ["-r", "\(primary.address)", "-d", "\(shadow.address)"]
        program = try Executable(flags + engine, path: path)
      }

      func order(_ word: String) throws -> String {
        try Executable.output(["shadow", word, "--admin", "\(program.admin)"]).text
      }

      /// A client whose first byte has come back, and been copied.
      func connect() throws -> Peer {
        let client = try Peer(connectingTo: program.port)
        try client.send([1])
        _ = try client.receive(exactly: 1)
        try #require(shadow.accept()).close()
        return client
      }

      /// Whether a new connection is.
      func isCopied() throws -> Bool {
        let client = try Peer(connectingTo: program.port)
        defer { client.close() }
        try client.send([2])
        _ = try client.receive(exactly: 1)
        let copy = shadow.accept(milliseconds: 200)
        defer { copy?.close() }
        return try copy?.receive(exactly: 1) == [2]
      }

      func end() {
        program.signal(SIGTERM)
        #expect(program.exitStatus() == 0)
        primary.stop()
        shadow.close()
      }
    }
  }
}
