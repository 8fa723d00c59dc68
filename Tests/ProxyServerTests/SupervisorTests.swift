import CLinux
import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// The executable as it runs in production: killed, reloaded and upgraded under load.
  @Suite struct Supervision {
    private let engine = ["--engine", Engine.tested.rawValue]

    @Test func `a worker killed twenty times under load takes only what it had in hand with it`()
      throws
    {
      let primary = EchoPrimary()
      let program = try Executable(["-r", "\(primary.address)"] + engine)
      let load = Load(port: program.port)
      var kills: [ClosedRange<UInt64>] = []
      for _ in 0..<20 {
        // Long enough to be no restart storm.
        load.go(onFor: RestartBackoff.calm / 1_000_000 + 20)
        load.go(on: 20)
        let worker = try program.worker()
        let begun = clinux_monotonic_nanoseconds()
        kill(worker, SIGKILL)
        _ = TestProxy.eventually({ program.childProcesses }, isReached: { !$0.contains(worker) })
        kills.append(begun...clinux_monotonic_nanoseconds())
      }
      load.go(on: 100)

      let outcome = load.stop()

      #expect(outcome.refused.isEmpty)
      #expect(outcome.wrong == 0)
      #expect(outcome.unexplained(by: kills) == [], "\(kills)\n\(program.logged)")
      #expect(outcome.answered >= 500)
      #expect(try program.metric("duplex_worker_restarts_total") == 20)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `ten reloads and ten upgrades under load lose no request`() throws {
      let primary = EchoPrimary()
      let program = try Executable(["-r", "\(primary.address)"] + engine)
      let load = Load(port: program.port)
      var workers: Set<pid_t> = []
      for round in 1...10 {
        load.go(on: 50)
        program.signal(SIGHUP)
        _ = try settledMetric(program, "duplex_reloads_total", round)
        load.go(on: 50)
        program.signal(SIGUSR2)
        _ = try settledMetric(program, "duplex_upgrades_total", round)
        workers.formUnion(program.childProcesses)
      }
      load.go(on: 100)

      let outcome = load.stop()

      #expect(outcome.refused.isEmpty)
      #expect(outcome.wrong == 0)
      #expect(outcome.lost.isEmpty)
      #expect(workers.count >= 10)
      #expect(try program.metric("duplex_upgrades_total") == 10)
      #expect(try program.metric("duplex_worker_restarts_total") == 0)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `after the drain timeout a replaced worker closes what is quiet, and cuts nothing`()
      throws
    {
      let primary = EchoPrimary()
      let program = try Executable(["-r", "\(primary.address)", "--drain-timeout", "0.5"] + engine)
      let load = Load(port: program.port, newConnections: 0)
      load.go(on: 20)
      let quiet = try Peer(connectingTo: program.port)
      try quiet.send([1])
      #expect(try quiet.receive(exactly: 1) == [1])
      let old = try program.worker()

      program.signal(SIGUSR2)
      let rest = quiet.receiveAll()
      load.go(on: 100)

      #expect(rest.bytes == [])
      #expect(rest.failure == nil)
      #expect(program.childProcesses.contains(old))
      let outcome = load.stop()
      #expect(outcome.lost.isEmpty)
      let ended = TestProxy.eventually({ program.childProcesses }, isReached: { $0.count == 1 })
      #expect(ended.count == 1 && !ended.contains(old))
      quiet.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test
    func `what a file says after SIGHUP is for new connections, and a mistake in it for none`()
      throws
    {
      let (primary, shadow, other) = (EchoPrimary(), Listener(), EchoPrimary())
      let file = TestFile("--relay \(primary.address)\n")
      let program = try Executable(["--config", file.path] + engine)
      let open = try Peer(connectingTo: program.port)
      try open.send([1])
      #expect(try open.receive(exactly: 1) == [1])

      file.write("--relay \(primary.address)\n--duplicate nonsense\n")
      program.signal(SIGHUP)
      let refused = TestProxy.eventually(
        { program.logged },
        isReached: { $0.contains("stays in force") }
      )
      let port = Executable.unusedPort()
      file.write(
        """
        --relay \(primary.address)
        --duplicate \(shadow.address)
        --listen \(port)
        --bind 127.0.0.1
        --relay \(other.address)
        """
      )
      program.signal(SIGHUP)
      _ = try settledMetric(program, "duplex_reloads_total", 1)
      let late = try Peer(connectingTo: program.port)
      try late.send([2])
      let copied = try #require(shadow.accept())
      try open.send([3])
      let second = try Peer(connectingTo: port)
      try second.send([4])

      #expect(refused.contains("\(file.path):2: --duplicate nonsense"))
      #expect(try late.receive(exactly: 1) == [2])
      #expect(try copied.receive(exactly: 1) == [2])
      #expect(try open.receive(exactly: 1) == [3])
      #expect(try second.receive(exactly: 1) == [4])
      #expect(shadow.accept(milliseconds: 50) == nil)

      file.write("--relay \(primary.address)\n")
      program.signal(SIGHUP)
      _ = try settledMetric(program, "duplex_reloads_total", 2)
      #expect(throws: Peer.Failure.other(ECONNREFUSED)) { try Peer(connectingTo: port) }
      try second.send([5])
      #expect(try second.receive(exactly: 1) == [5])
      for peer in [open, late, copied, second] { peer.close() }
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
      other.stop()
      shadow.close()
    }

    @Test func `copying that was switched off stays off for the workers to come`() throws {
      let (primary, shadow) = (EchoPrimary(), Listener())
      let program = try Executable(
        ["-r", "\(primary.address)", "-d", "\(shadow.address)"] + engine
      )
      func order(_ word: String) throws -> String {
        try Executable.output(["shadow", word, "--admin", "\(program.admin)"]).text
      }

      let off = try order("off")
      let worker = try program.worker()
      kill(worker, SIGKILL)
      _ = TestProxy.eventually({ program.childProcesses }, isReached: { !$0.contains(worker) })
      let afterDeath = try order("status")
      program.signal(SIGUSR2)
      _ = try settledMetric(program, "duplex_upgrades_total", 1)
      let afterUpgrade = try order("status")
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(off.hasPrefix("copying off since "))
      #expect(afterDeath.hasPrefix("copying off since "))
      #expect(afterUpgrade.hasPrefix("copying off since "))
      #expect(try client.receive(exactly: 1) == [1])
      #expect(shadow.accept(milliseconds: 50) == nil)
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
      shadow.close()
    }

    @Test func `switching copying off ends the copies of a worker that was replaced too`() throws {
      let (primary, shadow) = (EchoPrimary(), Listener())
      let program = try Executable(
        ["-r", "\(primary.address)", "-d", "\(shadow.address)", "--threads", "2"] + engine
      )
      let client = try Peer(connectingTo: program.port)
      try client.send([1])
      let copy = try #require(shadow.accept())
      #expect(try copy.receive(exactly: 1) == [1])
      program.signal(SIGUSR2)
      _ = try settledMetric(program, "duplex_upgrades_total", 1)
      try #require(program.childProcesses.count == 2)

      _ = try Executable.output(["shadow", "off", "--admin", "\(program.admin)"])

      #expect(copy.receiveAll().failure == .reset)
      try client.send([2])
      #expect(try client.receive(exactly: 2) == [1, 2])
      for peer in [client, copy] { peer.close() }
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
      shadow.close()
    }

    @Test func `workers that die at once are started ever more slowly, and the listener waits`()
      throws
    {
      let primary = EchoPrimary()
      let program = try Executable(["-r", "\(primary.address)"] + engine)
      var killed: Set<pid_t> = []
      let end = clinux_monotonic_nanoseconds() + 1_000_000_000
      while clinux_monotonic_nanoseconds() < end {
        for child in program.childProcesses where killed.insert(child).inserted {
          kill(child, SIGKILL)
        }
        usleep(1000)
      }
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(try client.receive(exactly: 1) == [1])
      #expect((3...13).contains(killed.count))
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `a killed supervisor leaves its ports free and open connections to their end`()
      throws
    {
      let primary = EchoPrimary()
      let program = try Executable(["-r", "\(primary.address)"] + engine)
      let ports = [SocketAddress(literal: "127.0.0.1", port: program.port)!, program.admin]
      let open = try Peer(connectingTo: program.port)
      try open.send([1])
      #expect(try open.receive(exactly: 1) == [1])
      let worker = try program.worker()

      program.signal(SIGKILL)
      let free = TestProxy.eventually(
        seconds: 1,
        { ports.filter(canBeListenedOn) },
        isReached: { $0 == ports }
      )
      try open.send([2])

      #expect(free == ports, "\(program.logged)")
      #expect(try open.receive(exactly: 1) == [2])
      open.close()
      let ended = TestProxy.eventually({ kill(worker, 0) }, isReached: { $0 != 0 })
      #expect(ended != 0)
      #expect(program.exitStatus() == nil)
      primary.stop()
    }

    @Test(arguments: [
      ("#!/bin/sh\nexit 3\n", "its trial ended with status 3"),
      ("no program\n", "Exec format error"),
      ("#!/bin/sh\nexit 0\n", "it does not say that it understands what it would take over"),
      (
        "#!/bin/sh\necho duplex-proxy >&3\n",
        "it does not say that it understands what it would take over"
      ),
    ])
    func `an executable that cannot take over is refused, and nothing else happens`(
      _ content: String,
      _ reason: String
    ) throws {
      let primary = EchoPrimary()
      let (link, next) = (TestFile(""), TestFile(content))
      link.point(to: Executable.path)
      let program = try Executable(["-r", "\(primary.address)"] + engine, path: link.path)
      let worker = try program.worker()
      next.makeExecutable()
      link.point(to: next.path)

      program.signal(SIGUSR2)
      let logged = TestProxy.eventually(
        { program.logged },
        isReached: { $0.contains("goes on") }
      )
      let client = try Peer(connectingTo: program.port)
      try client.send([1])

      #expect(logged.contains("upgrade to \(link.path) refused, \(reason)"), "\(logged)")
      #expect(try client.receive(exactly: 1) == [1])
      #expect(try program.worker() == worker)
      client.close()
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }
  }
}

/// A metric once it has the value, or what it was last.
private func settledMetric(_ program: Executable, _ name: String, _ value: Int) throws -> Int {
  let reached = try TestProxy.eventually({ try program.metric(name) }, isReached: { $0 == value })
  try #require(reached == value, "\(program.logged)")
  return reached
}

private func canBeListenedOn(_ address: SocketAddress) -> Bool {
  do {
    let (descriptors, _) = try ListeningSockets.listen(address, mode: nil, 1)
    for descriptor in descriptors { close(descriptor) }
    return true
  } catch {
    return false
  }
}
