import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// What the worker of a supervisor that root has started may do.
  @Suite(.enabled(if: geteuid() == 0)) struct Privilege {
    private let engine = ["--engine", Engine.tested.rawValue]
    private static let none = "0000000000000000"
    /// CAP_DAC_OVERRIDE.
    private static let passesFilePermissions = "0000000000000002"

    @Test func `the worker is the user it is told to be, and may do nothing that it need not`()
      throws
    {
      let primary = EchoPrimary()
      let program = try Executable(["-r", "\(primary.address)", "--user", "65534:65533"] + engine)
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(try client.receive(exactly: 1) == [1])
      let status = try status(of: program.worker())
      #expect(status["Uid"] == "65534\t65534\t65534\t65534")
      #expect(status["Gid"] == "65533\t65533\t65533\t65533")
      #expect(status["NoNewPrivs"] == "1")
      #expect(capabilities(status) == Array(repeating: Self.none, count: 5))
      #expect(try program.metric("process_open_fds") > 0)
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test(arguments: [
      (["-r", "127.0.0.1:1"], none),
      (["-s", "/nowhere"], passesFilePermissions),
      (["-r", "127.0.0.1:1", "-d", "unix:/nowhere"], passesFilePermissions),
      (["-s", "/nowhere", "--user", "65534:65533"], none),
    ])
    func `only a worker that stays root and reaches unix sockets may pass the permissions of files`(
      _ flags: [String],
      _ kept: String
    ) throws {
      let program = try Executable(flags + engine)
      // It answers once it has given up the rest.
      #expect(try program.metric("process_open_fds") > 0)

      let found = try capabilities(status(of: program.worker()))

      // Inheritable, permitted, effective, bounding, ambient.
      #expect(found == [Self.none, kept, kept, kept, Self.none])
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
    }

    @Test
    func `the first unix socket is refused to a root worker that runs, and an upgrade takes it`()
      throws
    {
      let file = TestFile("--relay 127.0.0.1:1\n")
      let program = try Executable(["--config", file.path] + engine)
      let worker = try program.worker()
      #expect(try program.metric("duplex_reloads_total") == 0)
      let descriptors = try program.openDescriptors()

      file.write(
        "--socket /nowhere\n--bind 127.0.0.1\n--listen \(Executable.unusedPort())\n"
          + "--relay 127.0.0.1:1\n"
      )
      program.signal(SIGHUP)
      let logged = TestProxy.eventually(
        { program.logged },
        isReached: { $0.contains("stays in force") }
      )

      #expect(logged.contains("a worker that stays root gives up"), "\(logged)")
      #expect(try program.worker() == worker)
      #expect(try program.metric("duplex_reloads_total") == 0)
      #expect(try program.openDescriptors() == descriptors)

      program.signal(SIGUSR2)
      _ = TestProxy.eventually({ program.logged }, isReached: { $0.contains("has taken over") })
      let new = TestProxy.eventually(
        { program.childProcesses },
        isReached: { $0.count == 1 && $0 != [worker] }
      )

      let found = try capabilities(status(of: #require(new.first)))
      #expect(found[2] == Self.passesFilePermissions)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
    }
  }
}

private func capabilities(_ status: [String: String]) -> [String?] {
  ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"].map { status[$0] }
}

private func status(of pid: pid_t) throws -> [String: String] {
  let lines = try TextFile.read("/proc/\(pid)/status").get().split(separator: "\n")
  let pairs = lines.map { $0.split(separator: ":", maxSplits: 1).map(String.init) }
  return Dictionary(
    uniqueKeysWithValues: pairs.map { ($0[0], String($0[1].drop { $0 == "\t" })) }
  )
}

extension Executable {
  /// Of the supervisor.
  fileprivate func openDescriptors() throws -> Int {
    let folder = try #require(opendir("/proc/\(pid)/fd"))
    defer { closedir(folder) }
    var count = 0
    while readdir(folder) != nil { count += 1 }
    return count
  }
}
