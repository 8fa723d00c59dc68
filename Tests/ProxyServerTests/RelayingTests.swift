import CLinux
import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Relaying {
    @Test func `bytes in chunks of any size arrive unchanged, both ways, and at the shadow`() throws
    {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let request = Noise.bytes(3_000_017, seed: 1)
      let answer = Noise.bytes(2_000_003, seed: 2)

      let primaryEnd = Worker {
        let peer = primary.accept()!
        let sending = Worker { sendInChunks(answer, on: peer, seed: 3) }
        let received = peer.receiveAll()
        sending.value()
        peer.close()
        return received.bytes
      }
      let shadowEnd = Worker {
        let peer = shadow.accept()!
        defer { peer.close() }
        return peer.receiveAll().bytes
      }
      let client = try proxy.connect()
      let sending = Worker { sendInChunks(request, on: client, seed: 4) }
      let received = client.receiveAll()
      sending.value()
      client.close()

      #expect(received.bytes == answer)
      #expect(received.failure == nil)
      #expect(primaryEnd.value() == request)
      #expect(shadowEnd.value() == request)
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.metric("duplex_shadow_drops_total") == 0)
      #expect(try proxy.metric("duplex_shadow_bytes_total") == request.count)
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `each connection's shadow gets that connection's bytes`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let count = 32
      let primaryEnd = Worker {
        let peers = (0..<count).map { _ in primary.accept()! }
        return Set(
          peers.map { peer in
            defer { peer.close() }
            return peer.receiveAll().bytes
          }
        )
      }
      let shadowEnd = Worker {
        let peers = (0..<count).map { _ in shadow.accept()! }
        return Set(
          peers.map { peer in
            defer { peer.close() }
            return peer.receiveAll().bytes
          }
        )
      }

      let sent = (0..<count).map { Noise.bytes(1 + $0 * 997, seed: UInt64($0 + 10)) }
      let clients = try sent.map { _ in try proxy.connect() }
      for (client, bytes) in zip(clients, sent) { sendInChunks(bytes, on: client, seed: 5) }
      for client in clients { #expect(client.receiveAll().bytes.isEmpty) }

      #expect(primaryEnd.value() == Set(sent))
      #expect(shadowEnd.value() == Set(sent))
      for client in clients { client.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `a client that has sent its FIN still gets the whole answer`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)

      let client = try proxy.connect()
      try client.send(Array("question".utf8))
      client.finish()
      let peer = try #require(primary.accept())
      #expect(try peer.receiveToEnd() == Array("question".utf8))
      try peer.send(Array("answer".utf8))
      #expect(try client.receive(exactly: 6) == Array("answer".utf8))
      try peer.send(Array("more".utf8))
      peer.close()

      #expect(try client.receiveToEnd() == Array("more".utf8))
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `a primary that has sent its FIN still gets the rest of the request`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)

      let client = try proxy.connect()
      let peer = try #require(primary.accept())
      try peer.send(Array("goodbye".utf8))
      peer.finish()
      #expect(try client.receiveToEnd() == Array("goodbye".utf8))
      try client.send(Array("still here".utf8))
      #expect(try peer.receive(exactly: 10) == Array("still here".utf8))
      client.close()

      #expect(try peer.receiveToEnd() == [])
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      peer.close()
      proxy.stop()
      primary.close()
    }

    @Test func `urgent bytes stay where they were sent, and hold nothing back`() throws {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)
      let client = try proxy.connect()
      let peer = try #require(primary.accept())
      for (from, to) in [(client, peer), (peer, client)] {
        Peer.set(to.descriptor, SO_OOBINLINE, 1)
        for _ in 0..<50 {
          try from.send(Array("abc".utf8))
          try from.sendUrgently(UInt8(ascii: "!"))
          try from.send(Array("def".utf8))
          #expect(try to.receive(exactly: 7) == Array("abc!def".utf8))
        }
      }
      // Bulky streams stop before them as well.
      let bytes = Noise.bytes(1_000_000, seed: 5)
      let sending = Worker {
        for _ in 0..<10 {
          _ = unlessLost {
            try peer.send(bytes)
            try peer.sendUrgently(UInt8(ascii: "!"))
          }
        }
        peer.finish()
      }
      let expected = (0..<10).flatMap { _ in bytes + [UInt8(ascii: "!")] }
      #expect(try client.receiveToEnd() == expected)
      sending.value()
      for end in [client, peer] { end.close() }
      proxy.stop()
      primary.close()
    }

    @Test func `a primary that does not read stops the client from sending, and loses nothing`()
      throws
    {
      let primary = Listener(receiveBuffer: 65536)
      let proxy = try TestProxy(primary: primary.address)
      let client = try proxy.connect(sendBuffer: 8192)
      let peer = try #require(primary.accept())
      let request = Noise.bytes(30_000_000, seed: 6)

      let sending = Worker { sendInChunks(request, on: client, seed: 7) }
      let taken = try settled { try proxy.metric("duplex_bytes_total", "client_to_primary") }
      #expect(taken < 8_000_000)

      #expect(try peer.receiveToEnd() == request)
      sending.value()
      peer.close()
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `a client that does not read stops the primary from sending, and loses nothing`()
      throws
    {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)
      let client = try proxy.connect(receiveBuffer: 65536)
      let peer = try #require(primary.accept())
      let answer = Noise.bytes(30_000_000, seed: 8)

      let sending = Worker { sendInChunks(answer, on: peer, seed: 9) }
      let taken = try settled { try proxy.metric("duplex_bytes_total", "primary_to_client") }
      #expect(taken < 20_000_000)

      #expect(try client.receiveToEnd() == answer)
      sending.value()
      peer.close()
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `a primary on a unix socket is relayed to`() throws {
      let path = "/tmp/duplex-proxy-test-\(getpid()).sock"
      let address = try #require(SocketAddress(unixPath: path))
      var configuration = Configuration()
      configuration.admin = [address]
      let listening = try ListeningSockets(configuration)
      defer { unlink(path) }
      let proxy = try TestProxy(primary: address)

      let client = try proxy.connect()
      try client.send([7])
      var entry = pollfd(fd: listening.admin[0], events: Int16(POLLIN), revents: 0)
      try #require(poll(&entry, 1, 10_000) == 1)
      let peer = Peer(accept(listening.admin[0], nil, nil))
      #expect(try peer.receive(exactly: 1) == [7])
      try peer.send([8])
      peer.close()

      #expect(try client.receiveToEnd() == [8])
      client.close()
      proxy.stop()
      close(listening.admin[0])
    }

    @Test func `a unix primary whose accept queue is full is waited for`() throws {
      let path = "/tmp/duplex-proxy-test-full-\(getpid()).sock"
      let address = try #require(SocketAddress(unixPath: path))
      let listener = clinux_stream_socket(AF_UNIX)
      try #require(address.withPointer { bind(listener, $0, $1) } == 0)
      defer { unlink(path) }
      listen(listener, 0)
      let filler = clinux_stream_socket(AF_UNIX)
      try #require(address.withPointer { clinux_connect(filler, $0, $1) } == 0)
      let proxy = try TestProxy(primary: address)

      let client = try proxy.connect()
      try client.send([1])
      #expect(try proxy.metric("duplex_connections_open", becomes: 1) == 1)
      close(clinux_accept(listener))
      var entry = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
      try #require(poll(&entry, 1, 10_000) == 1)
      let peer = Peer(clinux_accept(listener))

      #expect(try peer.receive(exactly: 1) == [1])
      for each in [client, peer] { each.close() }
      for descriptor in [filler, listener] { close(descriptor) }
      proxy.stop()
    }

    @Test func `a client of a primary that is down is reset and counted`() throws {
      let closed = Listener()
      closed.close()
      let proxy = try TestProxy(primary: closed.address)

      let client = try proxy.connect()

      #expect(client.receiveAll().failure == .reset)
      #expect(try proxy.metric("duplex_primary_connect_failures_total") == 1)
      #expect(try proxy.metric("duplex_connections_open") == 0)
      client.close()
      proxy.stop()
    }

    @Test func `five thousand short connections leave no descriptor behind`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      // The first answer shows that the proxy has opened all that it keeps.
      #expect(try proxy.ask("/version").status == 200)
      let before = openDescriptors()
      let count = 5000

      let primaryEnd = Worker { answerShortly(primary, count) }
      let shadowEnd = Worker { answerShortly(shadow, count) }
      var answered = 0
      for _ in 0..<count {
        let client = try proxy.connect()
        try client.send([1])
        if try client.receiveToEnd() == [2] { answered += 1 }
        client.close()
      }

      #expect(answered == count)
      #expect(primaryEnd.value() == count)
      #expect(shadowEnd.value() == count)
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(TestProxy.eventually({ openDescriptors() }, isReached: { $0 <= before }) <= before)
      #expect(try proxy.metric("duplex_shadow_bytes_total") == count)
      proxy.stop()
      primary.close()
      shadow.close()
    }
  }
}

/// Reads one byte of each connection, answers one, and closes after the client's FIN or at once.
private func answerShortly(_ listener: Listener, _ count: Int) -> Int {
  var answered = 0
  for _ in 0..<count {
    guard let peer = listener.accept() else { return answered }
    // Ignored: an unanswered client is counted by its own side.
    if (unlessLost { try peer.receive(exactly: 1) }) == [1],
      (unlessLost { try peer.send([2]) }) != nil
    {
      answered += 1
    }
    peer.close()
  }
  return answered
}
