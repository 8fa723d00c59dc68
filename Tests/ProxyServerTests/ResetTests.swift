import CLinux
import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Resets {
    @Test func `a client's reset is a reset for the primary`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)

      let client = try proxy.connect()
      let peer = try #require(primary.accept())
      try client.send([1, 2, 3])
      #expect(try peer.receive(exactly: 3) == [1, 2, 3])
      client.reset()

      #expect(peer.receiveAll().failure == .reset)
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      peer.close()
      proxy.stop()
      primary.close()
    }

    @Test func `what a client sent just before its reset reaches the primary`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)
      for round in 0..<50 {
        let client = try proxy.connect()
        let peer = try #require(primary.accept())
        let bytes = Noise.bytes(1000, seed: UInt64(round))
        try client.send([1])
        #expect(try peer.receive(exactly: 1) == [1])
        try client.send(bytes)
        client.reset()
        let received = peer.receiveAll()
        #expect(received.bytes == bytes)
        #expect(received.failure == .reset)
        peer.close()
      }
      proxy.stop()
      primary.close()
    }

    @Test func `a primary's reset is a reset for the client, after what came before it`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)

      let client = try proxy.connect()
      let peer = try #require(primary.accept())
      try peer.send([1, 2, 3])
      #expect(try client.receive(exactly: 3) == [1, 2, 3])
      peer.reset()

      #expect(client.receiveAll().failure == .reset)
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `what a primary sent before its reset reaches a client that reads late`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)
      let client = try proxy.connect(receiveBuffer: 8192)
      let peer = try #require(primary.accept())
      let answer = Noise.bytes(400_000, seed: 14)

      try peer.send(answer)
      let taken = try proxy.metric(
        "duplex_bytes_total",
        "primary_to_client",
        becomes: answer.count
      )
      peer.reset()
      #expect(taken == answer.count)

      let received = client.receiveAll()
      #expect(received.bytes == answer)
      #expect(received.failure == .reset)
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `resets at random moments leave nothing behind and nothing foreign`() throws {
      let (primary, shadow) = (Listener(), Listener())
      // Half of the copies are reset by the shadow: a breaker would spare it the rest.
      var policy = CopyingPolicy()
      policy.hasBreaker = false
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        copying: policy
      )
      let bytes = Noise.bytes(400_000, seed: 11)
      let rounds = 300

      let shadows = Worker { () -> Int in
        var random = Noise(seed: 12)
        var foreign = 0
        for _ in 0..<rounds {
          guard let peer = shadow.accept() else { return -1 }
          let part =
            (unlessLost { try peer.receive(exactly: Int.random(in: 0...400_000, using: &random)) })
            ?? []
          if !bytes.starts(with: part) { foreign += 1 }
          if Bool.random(using: &random) { peer.reset() } else { peer.close() }
        }
        return foreign
      }
      var random = Noise(seed: 13)
      for _ in 0..<rounds {
        let client = try proxy.connect()
        let peer = try #require(primary.accept())
        let (up, down) = (
          Int.random(in: 0...400_000, using: &random), Int.random(in: 0...400_000, using: &random)
        )
        let limit = Int.random(in: 0...400_000, using: &random)
        let clientResets = Bool.random(using: &random)
        let sending = Worker { () -> Void in
          // Ignored: the other end may reset meanwhile, which is what this is about.
          _ = unlessLost { try client.send(Array(bytes.prefix(up))) }
          if clientResets { client.reset() } else { client.finish() }
        }
        let answering = Worker { () -> [UInt8] in
          // Ignored: as above.
          _ = unlessLost { try peer.send(Array(bytes.prefix(down))) }
          let received = (unlessLost { try peer.receive(exactly: limit) }) ?? []
          if clientResets { peer.close() } else { peer.reset() }
          return received
        }
        if !clientResets {
          #expect(bytes.starts(with: client.receiveAll().bytes))
          sending.value()
          client.close()
        }
        sending.value()
        #expect(bytes.starts(with: answering.value()))
      }

      #expect(shadows.value() == 0)
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      #expect(try proxy.metric("duplex_connections_total") == rounds)
      proxy.stop()
      primary.close()
      shadow.close()
    }
  }
}
