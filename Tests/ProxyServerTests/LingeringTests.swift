import Glibc
import Testing

@testable import ProxyServer

/// Copies whose client is gone, and copies that are ended in numbers.
extension RealSockets {
  @Suite struct Lingering {
    @Test func `only so many copies wait for their shadow, and those that waited longest go first`()
      throws
    {
      let (primary, stuck) = (EchoServer(), Listener(receiveBuffer: 4096))
      let proxy = try patientProxy(primary, stuck, copies: 1)

      for _ in 0..<5 {
        let client = try proxy.connect()
        #expect(echoes(on: client, seed: 6, rounds: 1) == 1)
        client.close()
        #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      }
      let copies = (0..<5).map { _ in stuck.accept()! }

      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 3) == 3)
      #expect(try proxy.drops("unfinished") == 2)
      #expect(isReset(copies[0]) && isReset(copies[1]))
      for copy in copies[2...] { #expect(!isReset(copy)) }
      for copy in copies { copy.close() }
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.drops("unfinished") == 2)
      proxy.stop()
      primary.stop()
      stuck.close()
    }

    @Test func `a connection that is copied more than once counts with all its copies`() throws {
      let (primary, stuck) = (EchoServer(), Listener(receiveBuffer: 4096))
      let proxy = try patientProxy(primary, stuck, copies: 2)

      for expected in [2, 2, 2] {
        let client = try proxy.connect()
        #expect(echoes(on: client, seed: 6, rounds: 1) == 1)
        client.close()
        #expect(try proxy.metric("duplex_shadow_connections_open", becomes: expected) == expected)
      }

      #expect(try proxy.drops("unfinished") == 4)
      proxy.stop()
      primary.stop()
      stuck.close()
    }

    @Test
    func
      `switched off, all copies are reset though not in one turn, and the answer comes after that`()
      throws
    {
      let (primary, shadow) = (EchoServer(), Listener())
      let proxy = try TestProxy(primary: primary.listener.address, shadows: [shadow.address])
      let clients = try (0..<40).map { _ in try proxy.connect() }
      for client in clients { #expect(echoes(on: client, seed: 7, rounds: 1) == 1) }
      let copies = (0..<40).map { _ in shadow.accept()! }

      let answer = try proxy.ask("/shadow/off", method: "PUT").body

      #expect(answer.contains(" open 0\n"), "\(answer)")
      for copy in copies {
        #expect(copy.receiveAll().failure == .reset)
        copy.close()
      }
      for client in clients {
        #expect(echoes(on: client, seed: 8, rounds: 1) == 1)
        client.close()
      }
      proxy.stop()
      primary.stop()
      shadow.close()
    }

    /// Gives its shadow all the time for the rest, but for no more than three copies.
    private func patientProxy(
      _ primary: EchoServer,
      _ shadow: Listener,
      copies: Int
    ) throws -> TestProxy {
      var policy = CopyingPolicy()
      policy.hasBreaker = false
      policy.copies = copies
      return try TestProxy(
        primary: primary.listener.address,
        shadows: [shadow.address],
        copying: policy
      ) {
        $0.mostLingering = 3
        $0.shadowLinger = 60_000_000_000
      }
    }

    private func isReset(_ peer: Peer) -> Bool {
      var entry = pollfd(fd: peer.descriptor, events: Int16(POLLIN), revents: 0)
      return poll(&entry, 1, 0) == 1 && Int32(entry.revents) & POLLERR != 0
    }
  }
}
