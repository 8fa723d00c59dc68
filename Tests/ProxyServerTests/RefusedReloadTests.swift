import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// Configurations that SIGHUP, or an upgrade, does not bring into force: nothing of them is.
  @Suite struct RefusedReloads {
    private let engine = ["--engine", Engine.tested.rawValue]

    /// What is logged once a reload was refused.
    private func reload(_ program: Executable) -> String {
      program.signal(SIGHUP)
      return TestProxy.eventually(
        { program.logged },
        isReached: { $0.contains("stays in force") }
      )
    }

    @Test func `a file that nobody writes to is refused, and a worker that dies then is replaced`()
      throws
    {
      let primary = EchoPrimary()
      let file = TestFile("--relay \(primary.address)\n")
      let program = try Executable(["--config", file.path] + engine)
      let worker = try program.worker()
      unlink(file.path)
      mkfifo(file.path, 0o600)

      let logged = reload(program)
      kill(worker, SIGKILL)
      _ = TestProxy.eventually({ program.childProcesses }, isReached: { !$0.contains(worker) })
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(logged.contains("cannot read \(file.path): no regular file"), "\(logged)")
      #expect(try client.receive(exactly: 1) == [1])
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test(arguments: [
      ("--threads 2", "--threads stays 1 until all is stopped and started"),
      ("--user 65534:65534", "another --engine or --user is for another worker"),
    ])
    func `what a reload cannot bring is refused with all that came with it`(
      flags: String,
      reason: String
    ) throws {
      let (primary, shadow) = (EchoPrimary(), Listener())
      let file = TestFile("--relay \(primary.address)\n--threads 1\n")
      let program = try Executable(["--config", file.path] + engine)

      file.write("--relay \(primary.address)\n--duplicate \(shadow.address)\n\(flags)\n")
      let logged = reload(program)
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(logged.contains(reason), "\(logged)")
      #expect(try client.receive(exactly: 1) == [1])
      #expect(shadow.accept(milliseconds: 50) == nil)
      #expect(try program.metric("duplex_reloads_total") == 0)
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
      shadow.close()
    }

    @Test func `an upgrade that cannot bring its threads is refused before anything is changed`()
      throws
    {
      let primary = EchoPrimary()
      let file = TestFile("--relay \(primary.address)\n--threads 1\n")
      let program = try Executable(["--config", file.path] + engine)
      let worker = try program.worker()

      file.write("--relay \(primary.address)\n--threads 2\n")
      program.signal(SIGUSR2)
      let logged = TestProxy.eventually(
        { program.logged },
        isReached: { $0.contains("goes on") }
      )

      #expect(logged.contains("--threads stays 1 until all is stopped and started"), "\(logged)")
      #expect(logged.contains("refused, its trial ended with status 1"), "\(logged)")
      #expect(try program.worker() == worker)
      #expect(try program.metric("duplex_upgrades_total") == 0)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `the mode of a socket's file stays, and that is said`() throws {
      let primary = EchoPrimary()
      let (path, file) = (TestFile("").path + ".socket", TestFile(""))
      func routes(_ mode: String) -> String {
        "--relay \(primary.address)\n--listen unix:\(path)\n--listen-mode \(mode)\n--relay \(primary.address)\n"
      }
      file.write(routes("600"))
      let program = try Executable(["--config", file.path] + engine)

      file.write(routes("666"))
      let logged = reload(program)
      var status = stat()

      #expect(
        logged.contains(
          "--listen-mode of unix:\(path) stays as it is until all is stopped and started"
        ),
        "\(logged)"
      )
      #expect(lstat(path, &status) == 0)
      #expect(status.st_mode & 0o777 == 0o600)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `a port that another process has stops the whole new configuration`() throws {
      let (primary, taken) = (EchoPrimary(), Listener())
      let file = TestFile("--relay \(primary.address)\n")
      let program = try Executable(["--config", file.path] + engine)
      let worker = try program.worker()

      file.write(
        "--relay 127.0.0.1:1\n--listen \(taken.port)\n--bind 127.0.0.1\n--relay \(primary.address)\n"
      )
      let logged = reload(program)
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(
        logged.contains("could not listen on 127.0.0.1:\(taken.port): Address already in use")
      )
      #expect(try client.receive(exactly: 1) == [1])
      #expect(try program.worker() == worker)
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
      taken.close()
    }
  }
}
