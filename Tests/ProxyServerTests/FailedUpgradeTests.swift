import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// Upgrades that fail after the new executable has taken the process over.
  @Suite struct FailedUpgrade {
    private let engine = ["--engine", Engine.tested.rawValue]

    /// The patience with a worker that hangs is 10 s.
    @Test(arguments: ["hangs", "exits"])
    func
      `an executable whose workers never get ready gives the process back, and no request is lost`(
        _ fault: String
      ) throws
    {
      let primary = EchoPrimary()
      let (link, next) = (TestFile(""), TestFile(""))
      link.point(to: Executable.path)
      let program = try Executable(["-r", "\(primary.address)"] + engine, path: link.path)
      let executable = program.runs
      let load = Load(port: program.port)
      let worker = try program.worker()
      load.go(on: 50)
      next.write(
        """
        #!/bin/sh
        DUPLEX_TEST_WORKER=\(fault) exec \(Executable.path(of: "unready-proxy")) "$@"

        """
      )
      next.makeExecutable()
      link.point(to: next.path)

      program.signal(SIGUSR2)
      _ = TestProxy.eventually({ program.logged }, isReached: { $0.contains("upgrading to") })
      // Waits until the upgrade has failed, and is carried out by the executable before.
      program.signal(SIGHUP)
      let logged = TestProxy.eventually(
        seconds: 20,
        { program.logged },
        isReached: { $0.contains("goes on with the worker") }
      )
      load.go(on: 50)

      #expect(logged.contains("upgrade failed: \(link.path) runs no worker"))
      #expect(try program.worker() == worker)
      #expect(program.runs == executable)
      #expect(try program.metric("duplex_upgrades_total") == 0)
      let reloads = try TestProxy.eventually(
        { try program.metric("duplex_reloads_total") },
        isReached: { $0 == 1 }
      )
      #expect(reloads == 1)

      // Upgrades are possible as before.
      link.point(to: Executable.path)
      program.signal(SIGUSR2)
      let upgrades = try TestProxy.eventually(
        { try program.metric("duplex_upgrades_total") },
        isReached: { $0 == 1 }
      )
      load.go(on: 50)
      let outcome = load.stop()

      #expect(upgrades == 1, "\(program.logged)")
      #expect(outcome.refused.isEmpty)
      #expect(outcome.wrong == 0)
      #expect(outcome.lost.isEmpty)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `after a failed upgrade a worker that dies is replaced by one that works`() throws {
      let primary = EchoPrimary()
      let (link, next) = (TestFile(""), TestFile(""))
      link.point(to: Executable.path)
      let program = try Executable(["-r", "\(primary.address)"] + engine, path: link.path)
      let worker = try program.worker()
      next.write("#!/bin/sh\nexec \(Executable.path(of: "unready-proxy")) \"$@\"\n")
      next.makeExecutable()
      link.point(to: next.path)
      program.signal(SIGUSR2)
      _ = TestProxy.eventually({ program.logged }, isReached: { $0.contains("upgrade failed") })

      kill(worker, SIGKILL)
      // What connects before it is gone may be in its hands.
      _ = TestProxy.eventually({ program.childProcesses }, isReached: { !$0.contains(worker) })
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(try client.receive(exactly: 1) == [1])
      #expect(try program.worker() != worker)
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test(.enabled(if: geteuid() == 0))
    func `a worker that is refused its threads does not take over`() throws {
      let primary = EchoPrimary()
      let flags = ["-r", "\(primary.address)", "--threads", "2", "--user", "48213:48213"]
      let program = try Executable(flags + engine)
      let worker = try program.worker()
      // What this worker has, whose user has nothing else.
      try program.limitThreads(to: Executable.threads(of: worker))
      let load = Load(port: program.port)
      load.go(on: 50)

      program.signal(SIGUSR2)
      let logged = TestProxy.eventually(
        { program.logged },
        isReached: { $0.contains("goes on with the worker") }
      )
      load.go(on: 50)
      let outcome = load.stop()

      #expect(logged.contains("the kernel has no room for 3 threads"), "\(logged)")
      #expect(try program.worker() == worker)
      #expect(outcome.refused.isEmpty)
      #expect(outcome.wrong == 0)
      #expect(outcome.lost.isEmpty)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test(.enabled(if: geteuid() == 0))
    func
      `a worker is the user it is told to be after an upgrade that could not use its configuration`()
      throws
    {
      let (primary, taken) = (EchoPrimary(), Listener())
      let file = TestFile("--relay \(primary.address)\n--user 65534:65533\n")
      let program = try Executable(["--config", file.path] + engine)
      let old = try program.worker()

      // The trial cannot know that the port is taken.
      file.write(
        "--relay \(primary.address)\n--user 65534:65533\n--bind 127.0.0.1\n--listen \(taken.port)\n"
          + "--relay \(primary.address)\n"
      )
      program.signal(SIGUSR2)
      _ = TestProxy.eventually({ program.logged }, isReached: { $0.contains("has taken over") })
      let new = TestProxy.eventually(
        { program.childProcesses },
        isReached: { $0.count == 1 && $0 != [old] }
      )

      guard case .success(let status) = try TextFile.read("/proc/\(#require(new.first))/status")
      else {
        Issue.record("no status of the worker")
        return
      }
      #expect(program.logged.contains("stays in force"))
      #expect(status.split(separator: "\n").contains("Uid:\t65534\t65534\t65534\t65534"))
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
      taken.close()
    }
  }
}

extension Executable {
  fileprivate static func threads(of pid: pid_t) throws -> Int {
    let status = try TextFile.read("/proc/\(pid)/status").get()
    let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("Threads:") })
    return try #require(Int(line.split(separator: "\t")[1]))
  }

  /// The file that its process runs.
  fileprivate var runs: String {
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = buffer.withUnsafeMutableBytes {
      readlink("/proc/\(pid)/exe", $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
