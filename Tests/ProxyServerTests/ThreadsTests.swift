import Glibc
import Testing

@testable import ProxyServer

@Suite struct ThreadsTests {
  @Test func `connections are spread over the threads and counted as one proxy`() throws {
    let (primary, shadow) = (Listener(), Listener())
    let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address], threads: 4)
    defer { proxy.stop() }

    var peers: [Peer] = []
    for number in 0..<32 {
      let client = try proxy.connect()
      try client.send([UInt8(number)])
      let (atPrimary, atShadow) = (try #require(primary.accept()), try #require(shadow.accept()))
      #expect(try atPrimary.receive(exactly: 1) == [UInt8(number)])
      #expect(try atShadow.receive(exactly: 1) == [UInt8(number)])
      peers += [client, atPrimary, atShadow]
    }

    #expect(try proxy.metric("duplex_connections_open") == 32)
    #expect(try proxy.metric("duplex_bytes_total", "client_to_primary") == 32)
    #expect(try proxy.metric("duplex_shadow_bytes_total", becomes: 32) == 32)
    #expect(try proxy.ask("/health").status == 200)
    for peer in peers { peer.close() }
  }

  @Test func `a proxy with several threads drains all of them, and then ends`() throws {
    let primary = Listener()
    let proxy = try TestProxy(primary: primary.address, threads: 4)
    var pairs: [(client: Peer, primary: Peer)] = []
    for number in 0..<16 {
      let client = try proxy.connect()
      try client.send([UInt8(number)])
      pairs.append((client, try #require(primary.accept())))
    }

    proxy.requestStop()

    for (number, pair) in pairs.enumerated() {
      #expect(try pair.primary.receive(exactly: 1) == [UInt8(number)])
      try pair.primary.send([0])
      #expect(try pair.client.receive(exactly: 1) == [0])
      pair.client.close()
      pair.primary.close()
    }
    proxy.waitUntilStopped()
  }

  @Test func `an address that another proxy's threads share is refused`() throws {
    var configuration = Configuration()
    let any = try #require(SocketAddress(literal: "127.0.0.1", port: 0))
    configuration.routes = [Route(listen: any, primary: any)]
    let first = try ListeningSockets(configuration, threads: 2)
    defer { for descriptor in first.routes[0].descriptors { close(descriptor) } }

    configuration.routes[0].listen = first.routes[0].address

    let refusal = ListeningSockets.BindFailure(address: first.routes[0].address, errno: EADDRINUSE)
    #expect(throws: refusal) { try ListeningSockets(configuration, threads: 2) }
  }
}
