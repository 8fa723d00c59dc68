import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Program {
    @Test func `SIGTERM lets open connections finish, takes what waits, and ends with 0`() throws {
      let primary = Listener()
      // With several, one may still accept when another listens no more.
      let program = try Executable(["-r", "\(primary.address)", "--threads", "1"])
      let open = try Peer(connectingTo: program.port)
      try open.send([1])
      let peer = try #require(primary.accept())
      #expect(try peer.receive(exactly: 1) == [1])

      let worker = try program.worker()
      kill(worker, SIGSTOP)
      let waiting = try Peer(connectingTo: program.port)
      try waiting.send([2])
      program.signal(SIGTERM)
      kill(worker, SIGCONT)

      let second = try #require(primary.accept())
      #expect(try second.receive(exactly: 1) == [2])
      let refused = TestProxy.eventually({ isRefused(program.port) }, isReached: { $0 })
      #expect(refused)
      try peer.send([3])
      peer.close()
      #expect(try open.receiveToEnd() == [3])
      open.close()
      try second.send([4])
      second.close()
      #expect(try waiting.receiveToEnd() == [4])
      waiting.close()
      // Those that looked whether connections are refused, and were not.
      while let early = primary.accept(milliseconds: 100) { early.close() }
      #expect(program.exitStatus() == 0)
      primary.close()
    }

    @Test func `the drain timeout ends what does not finish`() throws {
      let primary = Listener()
      let program = try Executable(["-r", "\(primary.address)", "--drain-timeout", "0.2"])
      let open = try Peer(connectingTo: program.port)
      let peer = try #require(primary.accept())

      program.signal(SIGTERM)

      #expect(program.exitStatus() == 0)
      #expect(open.receiveAll().bytes.isEmpty)
      open.close()
      peer.close()
      primary.close()
    }

    @Test func `a second signal ends at once`() throws {
      let primary = Listener()
      let program = try Executable(["-r", "\(primary.address)"])
      let open = try Peer(connectingTo: program.port)
      let peer = try #require(primary.accept())

      program.signal(SIGTERM)
      let refused = TestProxy.eventually({ isRefused(program.port) }, isReached: { $0 })
      program.signal(SIGINT)

      #expect(refused)
      #expect(program.exitStatus(seconds: 2) == 0)
      open.close()
      peer.close()
      primary.close()
    }

    @Test func `clients beyond the descriptors wait, and are served when others have left`() throws
    {
      let (primary, shadow) = (Listener(), Listener())
      let program = try Executable(
        ["-r", "\(primary.address)", "-d", "\(shadow.address)"],
        descriptors: 64
      )
      let clients = try (0..<60).map { _ in try Peer(connectingTo: program.port) }
      for client in clients { try client.send([1]) }

      let worker = try program.worker()
      let idleBefore = processorTicks(of: worker)
      _ = poll(nil, 0, 300)
      // Who looks again and again without a pause has 30.
      #expect(processorTicks(of: worker) - idleBefore <= 10)
      #expect(
        try Executable.output(["ask", "/health", "--admin", "\(program.admin)"]).status == 0
      )
      let answers = clients.map { client in
        Worker { () -> [UInt8] in
          defer { client.close() }
          return client.receiveAll().bytes
        }
      }
      var served = 0
      while served < clients.count, let peer = primary.accept() {
        defer { peer.close() }
        // The health check's own connection has nothing to say.
        guard try peer.receive(exactly: 1) == [1] else { continue }
        try peer.send([2])
        served += 1
      }

      #expect(served == clients.count)
      #expect(answers.allSatisfy { $0.value() == [2] })
      let metrics = try Executable.output(["ask", "/metrics", "--admin", "\(program.admin)"]).text
      #expect(metrics.contains("duplex_accept_failures_total{reason=\"descriptors_reserved\"}"))
      #expect(metrics.contains(",reason=\"descriptors\"} "))
      #expect(!metrics.contains(",reason=\"descriptors\"} 0\n"))
      #expect(
        metrics.contains(
          "duplex_primary_connect_failures_total{route=\"127.0.0.1:\(program.port)\"} 0"
        )
      )
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.close()
      shadow.close()
    }

    @Test func `a verbose log names each client`() throws {
      let primary = EchoPrimary()
      let program = try Executable(
        ["-r", "\(primary.address)", "-v", "--threads", "1", "--engine", Engine.tested.rawValue]
      )
      let client = try Peer(connectingTo: program.port)
      try client.send([1])
      #expect(try client.receive(exactly: 1) == [1])
      client.close()

      let log = TestProxy.eventually({ program.logged }, isReached: { $0.contains(" closed\n") })

      #expect(log.contains(": connection 0 from 127.0.0.1 opened\n"), "\(log)")
      #expect(log.contains(": connection 0 closed\n"), "\(log)")
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `each line of the log says when, and the first ones what is served and how`() throws
    {
      let primary = Listener()
      let program = try Executable(
        ["-r", "\(primary.address)", "--threads", "2", "--engine", Engine.tested.rawValue]
      )
      let serving = "serving by \(Engine.tested.rawValue), threads: 2"
      let log = TestProxy.eventually({ program.logged }, isReached: { $0.contains(serving) })
      #expect(log.contains(serving))
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)

      let lines = program.logged.split(separator: "\n")
      #expect(!lines.isEmpty)
      for line in lines {
        #expect(
          line.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ duplex-proxy: .+/) != nil,
          "\(line)"
        )
      }
      primary.close()
    }

    @Test func `a taken port is named and ends with 1`() throws {
      let taken = Listener()

      let output = try Executable.output(
        ["--bind", "127.0.0.1", "-l", "\(taken.port)", "-r", "127.0.0.1:1"])

      #expect(output.status == 1)
      #expect(
        output.text
          == "duplex-proxy: could not listen on 127.0.0.1:\(taken.port): Address already in use\n"
      )
      taken.close()
    }

    @Test func `shadow switches copying and says how it is`() throws {
      let primary = Listener()
      let program = try Executable(["-r", "\(primary.address)", "-d", "127.0.0.1:1"])
      func shadow(_ word: String) throws -> (status: Int32, text: String) {
        let answer = try Executable.output(["shadow", word, "--admin", "\(program.admin)"])
        return (answer.status, answer.text)
      }
      let row = "route 127.0.0.1:\(program.port) shadow 127.0.0.1:1 breaker closed open 0\n"

      let answers = try ["status", "off", "off", "status", "on"].map(shadow)
      program.signal(SIGTERM)
      let status = program.exitStatus()

      #expect(status == 0)
      #expect(answers.allSatisfy { $0.status == 0 && $0.text.hasSuffix("Z\n" + row) })
      #expect(
        answers.map { $0.text.split(separator: " since ")[0] }
          == ["copying on", "copying off", "copying off", "copying off", "copying on"]
      )
      #expect(answers[1].text == answers[3].text)
      #expect(try shadow("off").status == 2)
      #expect(try shadow("sideways").status == 64)
      #expect(
        program.logged.contains("copying is switched off\n")
          && program.logged.contains("copying is switched on\n")
      )
      primary.close()
    }

    @Test func `ask tells an answer, another status and silence apart`() throws {
      let primary = Listener()
      let program = try Executable(["-r", "\(primary.address)"])

      let version = try Executable.output(["ask", "/version", "--admin", "\(program.admin)"])
      let nowhere = try Executable.output(["ask", "/nowhere", "--admin", "\(program.admin)"])
      let healthy = try Executable.output(
        ["ask", "/health", "--admin", "\(program.admin)", "--wait", "5"])
      primary.close()
      let ill = try Executable.output([
        "ask", "/health", "--admin", "\(program.admin)", "--wait", "0.1",
      ])
      program.signal(SIGTERM)
      let status = program.exitStatus()
      let silence = try Executable.output(["ask", "/health", "--admin", "\(program.admin)"])

      #expect(version.status == 0)
      #expect(version.text == "duplex-proxy \(Version.text)\n")
      #expect(nowhere.status == 1)
      #expect(healthy.status == 0)
      #expect(ill.status == 1)
      #expect(status == 0)
      #expect(silence.status == 2)
      #expect(silence.text == "duplex-proxy: no answer from \(program.admin): Connection refused\n")
      #expect(try Executable.output(["ask", "/health"]).status == 64)
    }

    @Test func `check prints what a configuration means`() throws {
      let output = try Executable.output(
        [
          "--check", "-l", "8080", "-r", "127.0.0.1:81", "-d", "10.9.0.5:80", "--admin",
          "unix:/run/a",
        ])

      #expect(output.status == 0)
      #expect(
        output.text == """
          route 0.0.0.0:8080
            primary 127.0.0.1:81
            shadow 10.9.0.5:80
            copying every client once, breaker on
          admin unix:/run/a
          shadow-buffer 4194304 bytes a connection, 67108864 in all
          connect-timeout 5.0 s
          drain-timeout 30.0 s
          engine epoll
          threads one a processor

          """
      )
    }
  }
}

private func isRefused(_ port: UInt16) -> Bool {
  do {
    try Peer(connectingTo: port).close()
    return false
  } catch {
    return error == .other(ECONNREFUSED)
  }
}

/// Processor time a process has used, in clock ticks of 10 ms.
private func processorTicks(of pid: pid_t) -> Int {
  guard case .success(let stat) = TextFile.read("/proc/\(pid)/stat") else { return .max }
  let fields = stat.split(separator: ")").last!.split(separator: " ")
  return Int(fields[11])! + Int(fields[12])!
}
