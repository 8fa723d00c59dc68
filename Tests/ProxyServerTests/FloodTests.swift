import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Flood {
    @Test func `a flood of clients is served in turn, and leaves descriptors to health`() throws {
      let primary = EchoPrimary()
      let program = try Executable(
        ["-r", "\(primary.address)", "--threads", "1"],
        descriptors: 120
      )
      let clients = try (0..<300).map { _ in try Peer(connectingTo: program.port) }
      let health = try Executable.output(["ask", "/health", "--admin", "\(program.admin)"])
      #expect(health.status == 0, "\(health.text)")

      let answers = clients.map { client in
        Worker { () -> [UInt8]? in
          defer { client.close() }
          return unlessLost {
            try client.send([1])
            return try client.receive(exactly: 1)
          }
        }
      }

      #expect(answers.filter { $0.value() != [1] }.count == 0)
      #expect(try program.metric("duplex_primary_connect_failures_total") == 0)
      program.signal(SIGTERM)
      #expect(program.exitStatus() == 0)
      primary.stop()
    }

    @Test func `a burst of a thousand connections is copied to a shadow that accepts`() throws {
      let (primary, shadow) = (EchoPrimary(), EchoPrimary())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let clients = try (0..<1000).map { _ in try proxy.connect() }
      for client in clients { try client.send([1]) }
      for client in clients { #expect(try client.receive(exactly: 1) == [1]) }
      #expect(try proxy.metric("duplex_shadow_connections_total") == 1000)
      #expect(try proxy.metric("duplex_shadow_skipped_total") == 0)
      for client in clients { client.close() }
      proxy.stop()
      for server in [primary, shadow] { server.stop() }
    }

    @Test func `a proxy that has just been stopped can be started at once`() throws {
      let primary = EchoPrimary()
      let (port, admin) = (Executable.unusedPort(), Executable.unusedPort())
      for _ in 0..<5 {
        let program = try Executable(
          ["-r", "\(primary.address)", "--engine", Engine.tested.rawValue],
          port: port,
          adminPort: admin
        )
        let clients = try (0..<100).map { _ in try Peer(connectingTo: port) }
        for client in clients { try client.send([1]) }
        for client in clients { #expect(try client.receive(exactly: 1) == [1]) }
        program.signal(SIGTERM)
        for client in clients { client.close() }
        #expect(program.exitStatus() == 0)
      }
      primary.stop()
    }
  }
}
