import Glibc
import Testing

@testable import ProxyServer

@Suite struct AdminRequestTests {
  @Test(arguments: [
    ("GET /health HTTP/1.1\r\nHost: x\r\n\r\n", AdminRequest.get(path: "/health", isHead: false)),
    ("GET /metrics?x=1 HTTP/1.0\n\n", .get(path: "/metrics", isHead: false)),
    ("HEAD / HTTP/1.1\r\n\r\n", .get(path: "/", isHead: true)),
    ("POST /shadow/off?x HTTP/1.1\r\n\r\n", .change(path: "/shadow/off")),
    ("PUT /shadow/off HTTP/1.1\nReferer: origin:\n\n", .change(path: "/shadow/off")),
    ("POST /shadow/off HTTP/1.1\r\nHost: x\r\noRiGiN: null\r\n\r\n", .changeForPage),
    ("POST /shadow/off HTTP/1.1\r\nOrigin \t: null\r\n\r\n", .changeForPage),
    ("GET /health HTTP/1.1\r\nOrigin: x\r\n\r\n", .get(path: "/health", isHead: false)),
    ("DELETE /health HTTP/1.1\r\n\r\n", .otherMethod),
    ("GET /health HTTP/1.1\r\nHost: x\r\n", .incomplete),
    ("", .incomplete),
    ("\u{16}\u{3}\u{1}\r\n\r\n", .malformed),
    ("GET  /health HTTP/1.1\r\n\r\n", .malformed),
    ("GET http://x/ HTTP/1.1\r\n\r\n", .malformed),
  ])
  func `a request is what its first line says`(_ text: String, _ request: AdminRequest) {
    #expect(AdminRequest(Array(text.utf8)) == request)
  }

  @Test func `a header beyond the limit is refused before it ends`() {
    #expect(AdminRequest(Array(repeating: 97, count: AdminRequest.limit + 1)) == .malformed)
  }
}

extension RealSockets {
  @Suite struct Admin {
    @Test func `health is 200 while the primary accepts and 503 while it does not`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)

      let healthy = try proxy.ask("/health")
      primary.close()
      let ill = try proxy.ask("/health")

      #expect(healthy.status == 200)
      #expect(healthy.body == "127.0.0.1:\(proxy.port): ok\n")
      #expect(ill.status == 503)
      #expect(
        ill.body.hasPrefix("127.0.0.1:\(proxy.port): primary 127.0.0.1:\(primary.port) refused")
      )
      proxy.stop()
    }

    @Test func `health is 503 when the primary swallows the SYN`() throws {
      let hole = Listener(backlog: 0)
      let fillers = (0..<4).map { _ in unlessLost { try Peer.connecting(to: hole) } }
      let proxy = try TestProxy(primary: hole.address) { $0.probeTimeout = 100_000_000 }

      let answer = try proxy.ask("/health")

      #expect(answer.status == 503)
      #expect(answer.body.hasSuffix("did not accept a connection in time\n"))
      for filler in fillers { filler?.close() }
      proxy.stop()
      hole.close()
    }

    @Test func `the other paths answer as documented`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address, shadows: [primary.address])

      let version = try proxy.ask("/version")
      let nowhere = try proxy.ask("/nowhere")
      let metrics = try proxy.ask("/metrics")

      #expect(version.status == 200)
      #expect(version.body == "duplex-proxy \(Version.text)\n")
      #expect(nowhere.status == 404)
      #expect(metrics.status == 200)
      let route = "route=\"127.0.0.1:\(proxy.port)\""
      let shadow = "shadow=\"127.0.0.1:\(primary.port)\""
      for line in [
        "duplex_connections_total{\(route)} 0", "duplex_connections_open{\(route)} 0",
        "duplex_bytes_total{\(route),direction=\"client_to_primary\"} 0",
        "duplex_shadow_drops_total{\(route),\(shadow),reason=\"lagging\"} 0",
        "duplex_shadow_queue_bytes 0", "duplex_build_info{version=\"\(Version.text)\"} 1",
      ] {
        #expect(metrics.body.contains(line + "\n"))
      }
      proxy.stop()
      primary.close()
    }

    @Test func `a client that has sent its FIN with its request is answered`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)
      for path in ["/version", "/health", "/metrics"] {
        let client = try Peer(connectingTo: proxy.adminPort)
        try client.send(Array("GET \(path) HTTP/1.0\r\n\r\n".utf8))
        client.finish()
        #expect(String(decoding: try client.receiveToEnd(), as: UTF8.self).contains(" 200 "))
        client.close()
      }
      proxy.stop()
      primary.close()
    }

    @Test func `an answer that its client takes in many small parts comes whole`() throws {
      let (primary, shadow) = (Listener(), Listener())
      // A unix socket takes 200 KB at a time, and each shadow has its own lines.
      let path = "/tmp/duplex-admin-\(getpid())"
      let admin = try #require(SocketAddress(unixPath: path))
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: Array(repeating: shadow.address, count: 500),
        secondAdmin: admin
      )
      let client = try Peer(connectingTo: admin)
      try client.send(Array("GET /metrics HTTP/1.0\r\n\r\n".utf8))

      var answer: [UInt8] = []
      while case let part = try client.receive(upTo: 20_000), !part.isEmpty {
        answer += part
      }

      let text = String(decoding: answer, as: UTF8.self)
      #expect(answer.count > 900_000)
      #expect(text.hasSuffix("duplex_build_info{version=\"\(Version.text)\"} 1\n"))
      client.close()
      proxy.stop()
      unlink(path)
      primary.close()
      shadow.close()
    }

    @Test func `senseless and silent clients of the admin endpoint hurt nobody`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address) { $0.adminTimeout = 2_000_000_000 }
      #expect(try proxy.ask("/version").status == 200)
      let before = openDescriptors()

      let silent = try (0..<100).map { _ in try Peer(connectingTo: proxy.adminPort) }
      let garbage = try Peer(connectingTo: proxy.adminPort)
      // Ignored: the endpoint may have closed before all of it was sent.
      _ = unlessLost { try garbage.send(Noise.bytes(1 << 20, seed: 40)) }
      let client = try proxy.connect()
      try client.send([1])
      let peer = try #require(primary.accept())
      #expect(try peer.receive(exactly: 1) == [1])
      // The endpoint is full of silent ones, and the one that has been so for longest makes room.
      #expect(try proxy.ask("/version").status == 200)
      #expect(try proxy.ask("/health").status == 200)

      for each in silent { #expect(each.receiveAll().bytes.isEmpty) }
      for each in silent + [garbage, client, peer] { each.close() }
      #expect(try proxy.ask("/version").status == 200)
      #expect(TestProxy.eventually({ openDescriptors() }, isReached: { $0 <= before }) <= before)
      proxy.stop()
      primary.close()
    }
  }
}

extension Peer {
  /// A connection attempt that nobody waits for.
  static func connecting(to listener: Listener) throws -> Peer {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue), 0)
    _ = listener.address.withPointer { connect(descriptor, $0, $1) }
    return Peer(descriptor)
  }
}
