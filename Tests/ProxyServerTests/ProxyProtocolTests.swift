import Duplex
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct ProxyProtocol {
    private static let header = Array("PROXY TCP4 192.0.2.1 198.51.100.9 56324 443\r\n".utf8)
    private static let header2 = ProxyProtocolHeader.version2(nil)

    /// What the primary and the shadow got of pieces that came one by one, each after the primary had the one before.
    private func relay(
      _ pieces: [[UInt8]],
      _ mode: ShadowProxyProtocol
    ) throws -> (primary: [UInt8], shadow: [UInt8], own: [UInt8]) {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        route: {
          $0.shadowProxyProtocol = mode
        }
      )
      let client = try proxy.connect()
      let own = ProxyProtocolHeader.version2(
        .init(
          source: .init(
            address: IPAddress("127.0.0.1")!,
            port: SocketAddress.port(ofSocket: client.descriptor)
          ),
          destination: .init(address: IPAddress("127.0.0.1")!, port: proxy.port)
        )
      )
      let (peer, copy) = (try #require(primary.accept()), try #require(shadow.accept()))
      let copied = Worker { copy.receiveAll().bytes }
      var got: [UInt8] = []
      for piece in pieces {
        try client.send(piece)
        got += try peer.receive(exactly: piece.count)
      }
      client.finish()
      got += try peer.receiveToEnd()
      peer.close()
      let shadowGot = copied.value()
      #expect(try proxy.metric("duplex_shadow_queue_bytes", becomes: 0) == 0)
      for each in [client, copy] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
      return (got, shadowGot, own)
    }

    private static let request =
      Array("GET / HTTP/1.1\r\n\r\n".utf8) + Noise.bytes(100_000, seed: 3)

    @Test(arguments: [header, header2])
    func `the primary gets its header whatever the shadow's copy does with it`(
      _ header: [UInt8]
    ) throws {
      let bytes = header + Self.request
      let kept = try relay([bytes], .keep)
      let stripped = try relay([bytes], .strip)
      let added = try relay([bytes], .add)

      #expect([kept, stripped, added].allSatisfy { $0.primary == bytes })
      #expect(kept.shadow == bytes)
      #expect(stripped.shadow == Self.request)
      #expect(added.shadow == bytes)
    }

    @Test func `a copy without a header gets the client's own address, or is as it was`() throws {
      let kept = try relay([Self.request], .keep)
      let stripped = try relay([Self.request], .strip)
      let added = try relay([Self.request], .add)

      #expect([kept, stripped, added].allSatisfy { $0.primary == Self.request })
      #expect(kept.shadow == Self.request)
      #expect(stripped.shadow == Self.request)
      #expect(added.shadow == added.own + Self.request)
    }

    @Test func `the primary gets each byte of a header at once while the copy waits`() throws {
      let pieces = Self.header.map { [$0] } + [Self.request]

      let stripped = try relay(pieces, .strip)
      let added = try relay(pieces, .add)

      #expect(stripped.primary == Self.header + Self.request)
      #expect(stripped.shadow == Self.request)
      #expect(added.shadow == Self.header + Self.request)
    }

    @Test func `a client that ends before it is known what it sent is copied all the same`() throws
    {
      let bytes = Array("PROX".utf8)

      #expect(try relay([bytes], .strip).shadow == bytes)
      let added = try relay([bytes], .add)
      #expect(added.shadow == added.own + bytes)
      #expect(try relay([], .strip).shadow == [])
    }

    @Test func `a shadow of a silent client gets its header, and then what the client says`() throws
    {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        route: {
          $0.shadowProxyProtocol = .add
        }
      )

      let client = try proxy.connect()
      let copy = try #require(shadow.accept())
      let header = try copy.receive(exactly: 28)
      try client.send(Array("HELO".utf8))

      #expect(header.prefix(14) == Self.header2.prefix(12) + [0x21, 0x11])
      #expect(try copy.receive(exactly: 4) == Array("HELO".utf8))
      for each in [client, copy] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `where the primary speaks first the shadow gets its header at once`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        { $0.proxyHeaderPatience = 600_000_000_000 },
        route: {
          $0.shadowProxyProtocol = .add
        }
      )

      let client = try proxy.connect()
      let (peer, copy) = (try #require(primary.accept()), try #require(shadow.accept()))
      try peer.send(Array("220".utf8))
      #expect(try client.receive(exactly: 3) == Array("220".utf8))
      let header = try copy.receive(exactly: 28)
      try client.send(Array("HELO".utf8))

      #expect(header.prefix(14) == Self.header2.prefix(12) + [0x21, 0x11])
      #expect(try copy.receive(exactly: 4) == Array("HELO".utf8))
      for each in [client, peer, copy] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `a client of a unix socket has no address to be told`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let path = "/tmp/duplex-proxy-test-\(UInt64.random(in: 0...UInt64.max))"
      let address = try #require(SocketAddress(unixPath: path))
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        route: {
          $0.listen = address
          $0.shadowProxyProtocol = .add
        }
      )

      let client = try Peer(connectingTo: address)
      try client.send(Array("GET".utf8))

      let copy = try #require(shadow.accept())
      #expect(try copy.receive(exactly: 19) == Self.header2 + Array("GET".utf8))
      for each in [client, copy] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `held bytes are bounded as queued ones are`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        { $0.shadowBuffer = 3 },
        route: { $0.shadowProxyProtocol = .strip }
      )

      let client = try proxy.connect()
      try client.send(Array("PROX".utf8))
      let peer = try #require(primary.accept())
      #expect(try peer.receive(exactly: 4) == Array("PROX".utf8))

      #expect(try proxy.metric("duplex_shadow_drops_total", "lagging", becomes: 1) == 1)
      #expect(try proxy.metric("duplex_shadow_queue_bytes") == 0)
      for each in [client, peer] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }
  }
}
