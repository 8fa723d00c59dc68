import CLinux
import Duplex
import Glibc
import Testing

@testable import ProxyServer

/// Which connections are copied, how often, and that whatever is decided no client notices.
extension RealSockets {
  @Suite struct Copying {
    @Test func `switching off under load ends every copy at once and disturbs no client`() throws {
      let (primary, reading) = (EchoServer(), EchoServer())
      let stuck = Listener(receiveBuffer: 4096)
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [reading.listener.address, stuck.address]
      )
      let clients = try (0..<16).map { _ in try proxy.connect() }
      let end = Moment()
      let loads = clients.enumerated().map { seed, client in
        Worker { echoes(on: client, seed: UInt64(seed), while: { !end.isReached }) }
      }
      _ = try TestProxy.eventually(
        { try proxy.metric("duplex_shadow_queue_bytes") },
        isReached: { $0 > 100_000 }
      )

      let answer = try proxy.ask("/shadow/off", method: "POST")

      #expect(answer.status == 200)
      #expect(answer.body.hasPrefix("copying off since "))
      #expect(try proxy.metric("duplex_shadow_connections_open") == 0)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      #expect(try proxy.metric("duplex_shadow_drops_total") >= clients.count)
      #expect(try proxy.drops("switched_off") >= clients.count)
      #expect(try proxy.metric("duplex_copying") == 0)
      let bytes = try proxy.metric("duplex_shadow_bytes_total")
      let relayed = try proxy.metric("duplex_bytes_total")
      let late = try proxy.connect()
      #expect(echoes(on: late, seed: 99, rounds: 20) == 20)
      #expect(try proxy.metric("duplex_shadow_skipped_total", "reason=\"off\"") == 2)
      end.reach()
      #expect(loads.allSatisfy { $0.value() > 0 })
      #expect(try proxy.metric("duplex_bytes_total") > relayed)
      #expect(try proxy.metric("duplex_shadow_bytes_total") == bytes)
      #expect(try proxy.metric("duplex_connections_open") == 17)
      for client in clients + [late] { client.close() }
      proxy.stop()
      for server in [primary, reading] { server.stop() }
      stuck.close()
    }

    @Test func `switched on again, new connections are copied and open ones stay as they are`()
      throws
    {
      let (primary, shadow) = (EchoServer(), Listener())
      let proxy = try TestProxy(primary: primary.listener.address, shadows: [shadow.address])
      let before = try proxy.connect()
      #expect(echoes(on: before, seed: 1, rounds: 1) == 1)
      let first = try #require(shadow.accept())
      _ = try proxy.ask("/shadow/off", method: "PUT")
      let during = try proxy.connect()
      #expect(echoes(on: during, seed: 2, rounds: 1) == 1)

      let answer = try proxy.ask("/shadow/on", method: "PUT")
      let after = try proxy.connect()
      try after.send([7, 8, 9])
      #expect(echoes(on: before, seed: 3, rounds: 3) == 3)
      #expect(echoes(on: during, seed: 4, rounds: 3) == 3)

      #expect(answer.status == 200)
      #expect(
        answer.body.hasSuffix(
          "Z\nroute 127.0.0.1:\(proxy.port) shadow \(shadow.address) breaker closed open 0\n"
        )
      )
      #expect(first.receiveAll().failure == .reset)
      let second = try #require(shadow.accept())
      #expect(try second.receive(exactly: 3) == [7, 8, 9])
      #expect(try proxy.metric("duplex_shadow_connections_total") == 2)
      #expect(try proxy.metric("duplex_shadow_connections_open") == 1)
      for peer in [before, during, after, first, second] { peer.close() }
      proxy.stop()
      primary.stop()
      shadow.close()
    }

    @Test func `every thread has ended its copies when the switch answers`() throws {
      let (primary, shadow) = (EchoServer(), EchoServer())
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [shadow.listener.address],
        threads: 4
      )
      let clients = try (0..<32).map { _ in try proxy.connect() }
      for client in clients { #expect(echoes(on: client, seed: 1, rounds: 1) == 1) }
      #expect(try proxy.metric("duplex_shadow_connections_open") == 32)

      let off = try proxy.ask("/shadow/off", method: "PUT")
      let bytes = try proxy.metric("duplex_shadow_bytes_total")

      #expect(off.body.hasSuffix(" breaker closed open 0\n"))
      #expect(try proxy.drops("switched_off") == 32)
      for client in clients { #expect(echoes(on: client, seed: 2, rounds: 2) == 2) }
      #expect(try proxy.metric("duplex_shadow_bytes_total") == bytes)
      for client in clients { client.close() }
      proxy.stop()
      for server in [primary, shadow] { server.stop() }
    }

    @Test func `only PUT and POST change anything, and never for a page`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)

      let answers = try [
        proxy.ask("/shadow/off"), proxy.ask("/shadow/off", method: "HEAD"),
        proxy.ask("/shadow/off", method: "DELETE"),
        proxy.ask("/shadow/off", method: "POST", header: "Origin: https://example.com\r\n"),
        proxy.ask("/shadow/off", method: "PUT", header: "origin: null\r\n"),
        proxy.ask("/shadow", method: "POST"), proxy.ask("/shadow/away", method: "POST"),
      ].map(\.status)

      #expect(answers == [405, 405, 405, 403, 403, 405, 404])
      #expect(try proxy.ask("/shadow").body.hasPrefix("copying on since "))
      proxy.stop()
      primary.close()
    }

    @Test
    func `a breaker of all threads opens on a shadow that refuses, and closes when it is back`()
      throws
    {
      let (primary, shadow) = (EchoServer(), Listener(isAsleep: true))
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [shadow.address],
        threads: 4
      ) {
        $0.breaker.connectFailures = 3
        $0.breaker.firstPause = 1_000_000_000
        $0.breaker.longestPause = 1_000_000_000
      }
      func exchange() throws {
        let client = try proxy.connect()
        #expect(echoes(on: client, seed: 5, rounds: 1) == 1)
        client.close()
      }
      func state() throws -> Int { try proxy.metric("duplex_shadow_breaker_state") }

      for _ in 0..<3 { try exchange() }
      #expect(try proxy.metric("duplex_shadow_breaker_state", becomes: 2) == 2)
      for _ in 0..<3 { try exchange() }
      #expect(try proxy.metric("duplex_shadow_connections_total") == 3)
      #expect(try proxy.metric("duplex_shadow_skipped_total", "reason=\"breaker\"") == 3)
      #expect(try proxy.ask("/shadow").body.hasSuffix(" breaker open open 0\n"))

      // The probe after the pause is refused, too.
      let openings = try TestProxy.eventually(
        {
          try exchange()
          return try proxy.metric("duplex_shadow_breaker_opened_total")
        },
        isReached: { $0 == 2 }
      )
      #expect(openings == 2)
      #expect(try proxy.metric("duplex_shadow_connections_total") == 4)

      shadow.wake()
      let draining = Worker { () -> Int in
        var count = 0
        while let peer = shadow.accept() {
          let received = peer.receiveAll().bytes
          peer.close()
          if received == [1] { return count }
          count += 1
        }
        return count
      }
      let closed = try TestProxy.eventually(
        {
          try exchange()
          return try state()
        },
        isReached: { $0 == 0 }
      )
      #expect(closed == 0)
      let last = try proxy.connect()
      try last.send([1])
      last.finish()

      #expect(draining.value() >= 1)
      #expect(try proxy.metric("duplex_shadow_breaker_opened_total") == 2)
      last.close()
      proxy.stop()
      primary.stop()
      shadow.close()
    }

    @Test func `a breaker opens on a shadow that is always given up`() throws {
      let (primary, stuck) = (EchoServer(), Listener(receiveBuffer: 4096))
      let proxy = try TestProxy(primary: primary.listener.address, shadows: [stuck.address]) {
        $0.breaker.leastEnded = 4
        $0.shadowLinger = 50_000_000
      }

      for _ in 0..<4 {
        let client = try proxy.connect()
        #expect(echoes(on: client, seed: 6, rounds: 1) == 1)
        client.close()
      }

      #expect(try proxy.metric("duplex_shadow_breaker_state", becomes: 2) == 2)
      #expect(try proxy.drops("unfinished") == 4)
      proxy.stop()
      primary.stop()
      stuck.close()
    }

    @Test func `with the breaker off every connection tries the shadow`() throws {
      let (primary, shadow) = (EchoServer(), Listener(isAsleep: true))
      var policy = CopyingPolicy()
      policy.hasBreaker = false
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [shadow.address],
        copying: policy
      )

      for _ in 0..<20 {
        let client = try proxy.connect()
        #expect(echoes(on: client, seed: 7, rounds: 1) == 1)
        client.close()
      }

      #expect(
        try TestProxy.eventually({ try proxy.drops("connect_failed") }, isReached: { $0 == 20 })
          == 20
      )
      proxy.stop()
      primary.stop()
      shadow.close()
    }

    /// Half of all clients; 127.0.0.5 is in it, and 127.0.0.6 is not.
    @Test func `a sample has a client in or out with all its connections`() throws {
      let (primary, shadow) = (EchoServer(), EchoServer())
      var policy = CopyingPolicy()
      policy.sample = ClientSample(millionths: 500_000)
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [shadow.listener.address],
        copying: policy
      )
      func connections(_ count: Int, from literal: String) throws -> Int {
        let before = try proxy.metric("duplex_shadow_connections_total")
        for seed in 0..<count {
          let client = try Peer(
            connectingTo: proxy.port,
            from: SocketAddress(literal: literal, port: 0)!
          )
          #expect(echoes(on: client, seed: UInt64(seed), rounds: 1) == 1)
          client.close()
        }
        return try proxy.metric("duplex_shadow_connections_total") - before
      }

      #expect(try connections(8, from: "127.0.0.5") == 8)
      #expect(try connections(8, from: "127.0.0.6") == 0)
      #expect(try connections(2, from: "127.0.0.5") == 2)
      #expect(try proxy.metric("duplex_shadow_skipped_total", "reason=\"sample\"") == 8)
      proxy.stop()
      for server in [primary, shadow] { server.stop() }
    }

    @Test func `each connection is copied so many times, each time whole`() throws {
      let (primary, one, two) = (EchoServer(), Listener(), Listener())
      var policy = CopyingPolicy()
      policy.copies = 3
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [one.address, two.address],
        copying: policy
      )
      let request = Noise.bytes(300_000, seed: 8)
      let ends = [one, one, one, two, two, two].map { listener in
        Worker { () -> [UInt8] in
          guard let peer = listener.accept() else { return [] }
          defer { peer.close() }
          return peer.receiveAll().bytes
        }
      }

      let client = try proxy.connect()
      let answer = Worker { client.receiveAll().bytes }
      try client.send(request)
      client.finish()

      #expect(answer.value() == request)
      for end in ends { #expect(end.value() == request) }
      client.close()
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      for shadow in [one, two] {
        let label = "shadow=\"\(shadow.address)\""
        #expect(try proxy.metric("duplex_shadow_connections_total", label) == 3)
        #expect(try proxy.metric("duplex_shadow_bytes_total", label) == 900_000)
      }
      #expect(try proxy.metric("duplex_shadow_drops_total") == 0)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      proxy.stop()
      primary.stop()
      for shadow in [one, two] { shadow.close() }
    }

    @Test func `all copies of all connections together stay under the total bound`() throws {
      let (primary, stuck) = (EchoServer(), Listener(receiveBuffer: 4096))
      var policy = CopyingPolicy()
      policy.copies = 20
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [stuck.address],
        copying: policy
      ) {
        $0.shadowBuffer = 1 << 20
        $0.shadowBufferTotal = 2 << 20
      }

      let client = try proxy.connect()
      var most = 0
      for seed in 0..<100 {
        #expect(echoes(on: client, seed: UInt64(seed), rounds: 4) == 4)
        most = max(most, try proxy.metric("duplex_shadow_queue_bytes"))
      }

      #expect(most > 1 << 20)
      #expect(most <= 2 << 20)
      #expect(try proxy.drops("budget") > 0)
      client.close()
      proxy.stop()
      primary.stop()
      stuck.close()
    }

    @Test func `a shadow gets no more connections a second than it may`() throws {
      let (primary, shadow) = (EchoServer(), EchoServer())
      var policy = CopyingPolicy()
      policy.rate = 2
      let proxy = try TestProxy(
        primary: primary.listener.address,
        shadows: [shadow.listener.address],
        copying: policy,
        threads: 4
      )

      let start = clinux_monotonic_nanoseconds()
      for seed in 0..<20 {
        let client = try proxy.connect()
        #expect(echoes(on: client, seed: UInt64(seed), rounds: 1) == 1)
        client.close()
      }
      let most = 2 + Int(2 * (clinux_monotonic_nanoseconds() - start) / 1_000_000_000)

      let begun = try proxy.metric("duplex_shadow_connections_total")
      #expect((2...most).contains(begun))
      #expect(
        try proxy.metric("duplex_shadow_skipped_total", "reason=\"rate\"") == 20 - begun
      )
      proxy.stop()
      for server in [primary, shadow] { server.stop() }
    }
  }
}
