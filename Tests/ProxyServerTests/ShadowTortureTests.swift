import CLinux
import Glibc
import Testing

@testable import ProxyServer

/// What a shadow may do, and what the client must not notice.
extension RealSockets {
  @Suite struct ShadowTorture {
    /// One client's exchange: 1 MB up, 1 MB down, compared on both sides. Returns whether all was as sent.
    private func exchange(_ proxy: TestProxy, _ primary: Listener, seed: UInt64) throws -> Bool {
      let (request, answer) = (
        Noise.bytes(1_000_000, seed: seed), Noise.bytes(1_000_000, seed: seed + 1)
      )
      let primaryEnd = Worker { () -> [UInt8] in
        guard let peer = primary.accept() else { return [] }
        defer { peer.close() }
        let received = peer.receiveAll().bytes
        // Ignored: what did not arrive is what the client compares.
        _ = unlessLost { try peer.send(answer) }
        return received
      }
      let client = try proxy.connect()
      defer { client.close() }
      try client.send(request)
      client.finish()
      let received = client.receiveAll()
      return received.bytes == answer && received.failure == nil && primaryEnd.value() == request
    }

    @Test func `a shadow that refuses is dropped and not felt`() throws {
      let (primary, closed) = (Listener(), Listener())
      closed.close()
      let proxy = try TestProxy(primary: primary.address, shadows: [closed.address])

      #expect(try exchange(proxy, primary, seed: 20))

      #expect(try proxy.drops("connect_failed") == 1)
      #expect(try proxy.metric("duplex_shadow_drops_total") == 1)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      proxy.stop()
      primary.close()
    }

    @Test func `a shadow that swallows the SYN is dropped after the connect timeout and not felt`()
      throws
    {
      let primary = Listener()
      // A full accept queue drops further SYNs.
      let hole = Listener(backlog: 0)
      let fillers = (0..<4).map { _ in clinux_stream_socket(AF_INET) }
      for filler in fillers { _ = hole.address.withPointer { clinux_connect(filler, $0, $1) } }
      let proxy = try TestProxy(primary: primary.address, shadows: [hole.address]) {
        $0.connectTimeout = 300_000_000
        $0.shadowBuffer = 4_000_000
      }

      let start = clinux_monotonic_nanoseconds()
      #expect(try exchange(proxy, primary, seed: 22))
      #expect(clinux_monotonic_nanoseconds() - start < 250_000_000)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 1_000_000)

      #expect(
        try TestProxy.eventually({ try proxy.drops("connect_timeout") }, isReached: { $0 == 1 })
          == 1
      )
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      #expect(try proxy.metric("duplex_shadow_connections_open") == 0)
      proxy.stop()
      for filler in fillers { close(filler) }
      hole.close()
      primary.close()
    }

    @Test func `a stuck shadow costs no more than its bound while 100 MB go both ways`() throws {
      let (primary, stuck) = (Listener(), Listener(receiveBuffer: 4096))
      let bound = 8 << 20
      let proxy = try TestProxy(primary: primary.address, shadows: [stuck.address]) {
        $0.shadowBuffer = bound
      }
      let piece = Noise.bytes(1 << 20, seed: 24)
      let rounds = 100
      let memoryBefore = residentBytes()

      let primaryEnd = Worker { () -> Int in
        let peer = primary.accept()!
        defer { peer.close() }
        let answering = Worker { () -> Void in
          // Ignored: what did not arrive is what the client counts.
          for _ in 0..<rounds { _ = unlessLost { try peer.send(piece) } }
          peer.finish()
        }
        let good = countPieces(equalTo: piece, on: peer)
        answering.value()
        return good
      }
      let client = try proxy.connect()
      let stuckPeer = try #require(stuck.accept())
      let sending = Worker { () -> Void in
        // Ignored: as above.
        for _ in 0..<rounds { _ = unlessLost { try client.send(piece) } }
        client.finish()
      }
      let watching = Worker { () -> Int in
        var most = 0
        while (unlessLost { try proxy.metric("duplex_connections_open") }) == 1 {
          most = max(most, (unlessLost { try proxy.metric("duplex_shadow_queue_bytes") }) ?? .max)
        }
        return most
      }
      let good = countPieces(equalTo: piece, on: client)
      sending.value()

      #expect(good == rounds)
      #expect(primaryEnd.value() == rounds)
      client.close()
      #expect(watching.value() <= bound)
      #expect(try proxy.drops("lagging") == 1)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      // The bound, one receive buffer, and the relay's own pieces; the rest is the test's own.
      #expect(residentBytes() - memoryBefore < bound + (24 << 20))
      stuckPeer.close()
      proxy.stop()
      stuck.close()
      primary.close()
    }

    @Test func `all shadows together stay under the total bound`() throws {
      let (primary, stuck) = (Listener(), Listener(receiveBuffer: 4096))
      let proxy = try TestProxy(primary: primary.address, shadows: [stuck.address]) {
        $0.shadowBuffer = 4 << 20
        $0.shadowBufferTotal = 1 << 20
      }
      let clients = try (0..<6).map { _ in try proxy.connect() }
      let peers = clients.compactMap { _ in primary.accept() }
      let bytes = Noise.bytes(3 << 20, seed: 26)
      let readers = peers.map { peer in Worker { peer.receiveAll().bytes == bytes } }

      var most = 0
      for client in clients {
        try client.send(bytes)
        client.finish()
        most = max(most, try proxy.metric("duplex_shadow_queue_bytes"))
      }

      #expect(readers.allSatisfy { $0.value() })
      #expect(most <= 1 << 20)
      #expect(most > 0)
      #expect(try proxy.drops("budget") >= 3)
      for peer in peers { peer.close() }
      for client in clients { client.close() }
      proxy.stop()
      stuck.close()
      primary.close()
    }

    @Test func `a shadow that reads a byte at a time is not felt`() throws {
      let (primary, slow) = (Listener(), Listener(receiveBuffer: 4096))
      let proxy = try TestProxy(primary: primary.address, shadows: [slow.address]) {
        $0.shadowBuffer = 4 << 20
        $0.shadowLinger = 300_000_000
      }
      let reading = Worker { () -> Int in
        let peer = slow.accept()!
        defer { peer.close() }
        var count = 0
        // One byte a second; what the kernel holds by then would last for an hour.
        while count < 2, let byte = unlessLost({ try peer.receive(upTo: 1) }), !byte.isEmpty {
          count += 1
          if poll(nil, 0, 1000) != 0 { break }
        }
        return count
      }

      let start = clinux_monotonic_nanoseconds()
      #expect(try exchange(proxy, primary, seed: 28))
      #expect(clinux_monotonic_nanoseconds() - start < 1_000_000_000)

      #expect(
        try TestProxy.eventually({ try proxy.drops("unfinished") }, isReached: { $0 == 1 }) == 1
      )
      #expect(reading.value() > 0)
      proxy.stop()
      slow.close()
      primary.close()
    }

    @Test func `a shadow that resets is dropped and not felt`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let resetting = Worker { () -> Void in
        let peer = shadow.accept()!
        // Ignored: only the moment matters.
        _ = unlessLost { try peer.receive(exactly: 1000) }
        peer.reset()
      }

      #expect(try exchange(proxy, primary, seed: 30))
      resetting.value()

      #expect(try TestProxy.eventually({ try proxy.drops("reset") }, isReached: { $0 == 1 }) == 1)
      proxy.stop()
      shadow.close()
      primary.close()
    }

    @Test func `a shadow that sends without end is read, and not felt`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address]) {
        $0.shadowLinger = 200_000_000
        $0.shadowBuffer = 4 << 20
      }
      let endless = Worker { () -> [UInt8] in
        let peer = shadow.accept()!
        defer { peer.close() }
        let received = Worker { peer.receiveAll().bytes }
        let piece = [UInt8](repeating: 7, count: 1 << 20)
        while (unlessLost { try peer.send(piece) }) != nil {}
        return received.value()
      }

      #expect(try exchange(proxy, primary, seed: 32))

      #expect(endless.value() == Noise.bytes(1_000_000, seed: 32))
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.metric("duplex_shadow_answer_bytes_total") > 1 << 20)
      #expect(try proxy.drops("unfinished") == 1)
      #expect(try proxy.metric("duplex_shadow_drops_total") == 1)
      proxy.stop()
      shadow.close()
      primary.close()
    }

    @Test func `a shadow that closed its sending side at once still gets every byte`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let early = Worker { () -> [UInt8] in
        let peer = shadow.accept()!
        defer { peer.close() }
        peer.finish()
        return peer.receiveAll().bytes
      }

      #expect(try exchange(proxy, primary, seed: 34))

      #expect(early.value() == Noise.bytes(1_000_000, seed: 34))
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.metric("duplex_shadow_drops_total") == 0)
      proxy.stop()
      shadow.close()
      primary.close()
    }

    @Test func `a shadow that is done with the whole connection is dropped as closed early`() throws
    {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let client = try proxy.connect()
      let peer = try #require(primary.accept())

      try #require(shadow.accept()).close()
      var sent = 0
      let drops = try TestProxy.eventually(
        {
          try client.send([1])
          sent += 1
          return try proxy.drops("closed_early")
        },
        isReached: { $0 == 1 }
      )

      #expect(drops == 1)
      #expect(try peer.receive(exactly: sent).count == sent)
      client.close()
      peer.close()
      proxy.stop()
      shadow.close()
      primary.close()
    }

    @Test func `a shadow that is done before the one byte it is sent is dropped`()
      throws
    {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let client = try proxy.connect()
      let peer = try #require(primary.accept())

      try #require(shadow.accept()).close()
      // Both in one turn of the proxy, as a rule: the reset is not told before the copy is closed.
      try client.send([1])
      client.close()
      #expect(try peer.receive(exactly: 1) == [1])
      peer.close()

      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.drops("closed_early") == 1)
      proxy.stop()
      shadow.close()
      primary.close()
    }

    @Test func `one dead shadow of two does not take the other along`() throws {
      let (primary, closed, shadow) = (Listener(), Listener(), Listener())
      closed.close()
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [closed.address, shadow.address]
      )
      let alive = Worker { () -> [UInt8] in
        let peer = shadow.accept()!
        defer { peer.close() }
        return peer.receiveAll().bytes
      }

      #expect(try exchange(proxy, primary, seed: 36))

      #expect(alive.value() == Noise.bytes(1_000_000, seed: 36))
      #expect(try proxy.drops("connect_failed") == 1)
      proxy.stop()
      shadow.close()
      primary.close()
    }
  }
}

/// How many whole pieces came, up to the first that differs.
private func countPieces(equalTo piece: [UInt8], on peer: Peer) -> Int {
  var count = 0
  while let received = unlessLost({ try peer.receive(exactly: piece.count) }), received == piece {
    count += 1
  }
  return count
}
