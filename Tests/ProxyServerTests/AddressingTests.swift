import CLinux
import Duplex
import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Addressing {
    private func path() -> String {
      "/tmp/duplex-proxy-test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    }

    private func listening(_ flags: String) throws -> HeldListeners {
      let words = (flags + " -r 127.0.0.1:1").split(separator: " ").map(String.init)
      let configuration = try Flags.parse(words) {
        .failure(Flags.Problem(place: $0, text: "no file"))
      }
      return try HeldListeners().changed(to: configuration, threads: 1)
    }

    private func close(_ sockets: HeldListeners) {
      for descriptor in sockets.descriptors { Glibc.close(descriptor) }
    }

    private func mode(_ path: String) -> mode_t? {
      var status = stat()
      return lstat(path, &status) == 0 ? status.st_mode & 0o777 : nil
    }

    @Test
    func `a unix socket is listened on, relayed from and copied`()
      throws
    {
      let (primary, shadow, path) = (Listener(), Listener(), path())
      let address = try #require(SocketAddress(unixPath: path))
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        route: {
          $0.listen = address
        }
      )

      let client = try Peer(connectingTo: address)
      let request = Noise.bytes(300_000, seed: 1)
      let sender = Worker { sendInChunks(request, on: client, seed: 2) }
      let (peer, copy) = (try #require(primary.accept()), try #require(shadow.accept()))
      let copied = Worker { copy.receiveAll().bytes }
      #expect(try peer.receiveToEnd() == request)
      sender.value()
      try peer.send(request)
      peer.close()

      #expect(try client.receiveToEnd() == request)
      #expect(copied.value() == request)
      #expect(try proxy.metric("duplex_connections_total", "unix:\(path)") == 1)
      for each in [client, copy] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `the file of a unix socket goes with the program, at whichever end it is bound`()
      throws
    {
      let (primary, path, admin) = (Listener(), path(), path())
      let program = try Executable([
        "-r", "\(primary.address)", "-l", "unix:\(path)", "-r", "\(primary.address)", "--admin",
        "unix:\(admin)",
      ])
      let client = try Peer(connectingTo: SocketAddress(unixPath: path)!)
      try client.send([1])
      let peer = try #require(primary.accept())
      #expect(try peer.receive(exactly: 1) == [1])
      for each in [client, peer] { each.close() }

      program.signal(SIGTERM)

      #expect(program.exitStatus() == 0)
      #expect([path, admin].map(mode) == [nil, nil])
      primary.close()
    }

    @Test func `the file of a listening socket has the mode it was told`() throws {
      let path = path()

      for asked in ["600", "666"] {
        let sockets = try listening("-l unix:\(path) --listen-mode \(asked)")
        #expect(mode(path) == mode_t(asked, radix: 8))
        close(sockets)
        sockets.removeFiles()
      }
    }

    @Test func `an abandoned socket file is replaced, and a live one is an error`() throws {
      let path = path()
      close(try listening("-l unix:\(path)"))
      #expect(mode(path) != nil)

      let second = try listening("-l unix:\(path)")
      #expect(throws: ListeningSockets.BindFailure.self) { try listening("-l unix:\(path)") }
      let client = try Peer(connectingTo: SocketAddress(unixPath: path)!)

      client.close()
      close(second)
      second.removeFiles()
      #expect(mode(path) == nil)
    }

    @Test func `a file that is no socket is left alone`() throws {
      let path = path()
      Glibc.close(open(path, O_CREAT | O_WRONLY, 0o600))

      #expect(throws: ListeningSockets.BindFailure.self) { try listening("-l unix:\(path)") }

      #expect(mode(path) == 0o600)
      unlink(path)
    }

    @Test func `a socket file that the next proxy has taken over is left to it`() throws {
      let path = path()
      let first = try listening("-l unix:\(path)")
      close(first)
      let second = try listening("-l unix:\(path)")

      first.removeFiles()

      try Peer(connectingTo: SocketAddress(unixPath: path)!).close()
      close(second)
      second.removeFiles()
      #expect(mode(path) == nil)
    }

    @Test(arguments: ["::1", "127.0.0.1"])
    func `a proxy that listens on all of IPv6 takes IPv4 too`(_ literal: String) throws {
      let primary = Listener()
      let proxy = try TestProxy(
        primary: primary.address,
        route: {
          $0.listen = SocketAddress(literal: "::", port: 0)!
        }
      )

      let client = try Peer(connectingTo: SocketAddress(literal: literal, port: proxy.port)!)
      try client.send([1])

      #expect(try #require(primary.accept()).receive(exactly: 1) == [1])
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test(arguments: [
      ("127.0.0.1", "127.0.0.1", "10.0.0.0/8"), ("::", "127.0.0.1", "127.0.0.2"),
      ("::", "127.0.0.1", "::/0"), ("::", "::1", "127.0.0.0/8"),
    ])
    func `a client outside the allowed ranges is reset and counted, and nothing is opened for it`(
      _ listen: String,
      _ from: String,
      _ allowed: String
    ) throws {
      let (primary, shadow) = (Listener(), Listener())
      let range = try AddressRange(allowed)
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        route: {
          $0.listen = SocketAddress(literal: listen, port: 0)!
          $0.allowed = [range]
        }
      )

      // The reset may come before connect(2) has returned.
      let client = unlessLost {
        try Peer(connectingTo: SocketAddress(literal: from, port: proxy.port)!)
      }
      let got = client?.receiveAll() ?? (bytes: [], failure: .reset)

      #expect(got.bytes.isEmpty)
      #expect(got.failure == .reset)
      #expect(try proxy.metric("duplex_refused_total", becomes: 1) == 1)
      #expect(try proxy.metric("duplex_connections_total") == 0)
      #expect(primary.accept(milliseconds: 0) == nil)
      #expect(shadow.accept(milliseconds: 0) == nil)
      client?.close()
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test(arguments: [
      ("127.0.0.1", "127.0.0.1", "127.0.0.0/8"), ("::", "127.0.0.1", "127.0.0.1"),
      ("::", "::1", "::1"),
    ])
    func `a client inside one of the allowed ranges is served`(
      _ listen: String,
      _ from: String,
      _ allowed: String
    ) throws {
      let primary = Listener()
      let ranges = [try AddressRange("10.0.0.0/8"), try AddressRange(allowed)]
      let proxy = try TestProxy(
        primary: primary.address,
        route: {
          $0.listen = SocketAddress(literal: listen, port: 0)!
          $0.allowed = ranges
        }
      )

      let client = try Peer(connectingTo: SocketAddress(literal: from, port: proxy.port)!)
      try client.send([1])

      #expect(try #require(primary.accept()).receive(exactly: 1) == [1])
      #expect(try proxy.metric("duplex_refused_total") == 0)
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `all threads take connections of one unix socket`() throws {
      let (primary, path) = (Listener(), path())
      let address = try #require(SocketAddress(unixPath: path))
      let proxy = try TestProxy(
        primary: primary.address,
        threads: 2,
        route: { $0.listen = address }
      )

      let clients = try (0..<40).map { _ in try Peer(connectingTo: address) }
      for client in clients {
        try client.send([1])
        client.finish()
      }
      for _ in clients {
        let peer = try #require(primary.accept())
        #expect(try peer.receiveToEnd() == [1])
        peer.close()
      }

      for client in clients { #expect(try client.receiveToEnd() == []) }
      #expect(try proxy.metric("duplex_connections_total") == 40)
      for client in clients { client.close() }
      proxy.stop()
      primary.close()
    }

    @Test func `whoever may connect to a unix socket is allowed`() throws {
      let (primary, path) = (Listener(), path())
      let address = try #require(SocketAddress(unixPath: path))
      let proxy = try TestProxy(
        primary: primary.address,
        route: {
          $0.listen = address
          $0.allowed = [AddressRange.nowhere]
        }
      )

      let client = try Peer(connectingTo: address)
      try client.send([1])

      #expect(try #require(primary.accept()).receive(exactly: 1) == [1])
      client.close()
      proxy.stop()
      primary.close()
    }

    @Test func `refused connections leave no descriptor behind`() throws {
      let primary = Listener()
      let proxy = try TestProxy(
        primary: primary.address,
        threads: 2,
        route: { $0.allowed = [AddressRange.nowhere] }
      )
      _ = try proxy.ask("/version")
      let before = Int(clinux_open_descriptors())

      for _ in 0..<200 {
        guard let client = (unlessLost { try proxy.connect() }) else { continue }
        #expect(client.receiveAll().bytes.isEmpty)
        client.close()
      }

      #expect(try proxy.metric("duplex_refused_total", becomes: 200) == 200)
      let after = TestProxy.eventually(
        { Int(clinux_open_descriptors()) },
        isReached: { $0 <= before }
      )
      #expect(after <= before)
      proxy.stop()
      primary.close()
    }
  }
}

extension AddressRange {
  /// Documentation's own: nobody connects from there.
  fileprivate static var nowhere: AddressRange {
    do { return try AddressRange("192.0.2.0/24") } catch { fatalError("\(error)") }
  }
}
