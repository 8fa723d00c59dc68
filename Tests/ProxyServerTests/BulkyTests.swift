import CLinux
import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Bulky {
    @Test func `a bulky stream goes from socket to socket inside the kernel`() throws {
      switch Engine.tested {
      case .epoll: try forwards(#require(EpollLoop()))
      case .uring: try forwards(#require(UringLoop()))
      }
    }

    private func forwards(_ loop: some EventLoop) throws {
      let (from, to) = (Listener(), Listener())
      let relay = Relayer(loop)
      let source = try relay.connect(to: from.address, .primary)
      let sink = try relay.connect(to: to.address, .client)
      let (sender, receiver) = (try #require(from.accept()), try #require(to.accept()))
      relay.begin(from: source, to: sink)

      let bytes = Noise.bytes(20_000_000, seed: 1)
      let sending = Worker { sendInChunks(bytes, on: sender, seed: 2) }
      let arriving = Worker { receiver.receiveAll().bytes }
      while !relay.isOver { loop.turn(until: clinux_monotonic_nanoseconds() + 1_000_000, relay) }

      #expect(arriving.value() == bytes)
      sending.value()
      #expect(relay.received + relay.forwarded == bytes.count)
      #expect(relay.forwarded > bytes.count / 2)
      for peer in [sender, receiver] { peer.close() }
      from.close()
      to.close()
    }

    @Test func `chatter and bulky answers take turns on one connection`() throws {
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let client = try proxy.connect()
      let peer = try #require(primary.accept())
      let copy = try #require(shadow.accept())
      let sizes = [40_000, 90_000, 700_000, 3, 3_000_000, 1, 1, 200_000, 1_048_576, 17, 60_000]
      let answers = (0..<66).map { Noise.bytes(sizes[$0 % sizes.count], seed: UInt64($0)) }

      // The shadow answers the same.
      let ends = [peer, copy].map { end in
        Worker {
          for answer in answers {
            guard (unlessLost { try end.receive(exactly: 4) })?.count == 4 else { return }
            _ = unlessLost { try end.send(answer) }
          }
        }
      }
      for answer in answers {
        try client.send([1, 2, 3, 4])
        #expect(try client.receive(exactly: answer.count) == answer)
      }
      for end in ends { end.value() }
      let total = answers.map(\.count).reduce(0, +)
      #expect(try proxy.metric("duplex_bytes_total", "primary_to_client") == total)
      #expect(try proxy.metric("duplex_shadow_answer_bytes_total", becomes: total) == total)
      for end in [client, peer, copy] { end.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `no copy of a shadow that keeps up is lost while many streams are bulky`() throws {
      let (primary, shadow) = (Listener(), Listener())
      var policy = CopyingPolicy()
      policy.copies = 2
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [shadow.address],
        copying: policy
      ) {
        $0.shadowLinger = 1_000_000_000
      }
      let (clientCount, piece) = (24, Noise.bytes(2_000_000, seed: 50))
      let servers = [(primary, clientCount), (shadow, 2 * clientCount)].map { listener, count in
        Worker {
          let senders = (0..<count).map { _ in
            let peer = listener.accept()!
            return Worker {
              for _ in 0..<8 { _ = unlessLost { try peer.send(piece) } }
              peer.finish()
              _ = peer.receiveAll()
              peer.close()
            }
          }
          for sender in senders { sender.value() }
        }
      }

      let clients = try (0..<clientCount).map { _ in
        let client = try proxy.connect()
        return Worker {
          defer { client.close() }
          return (unlessLost { try client.receive(exactly: 8 * piece.count).count }) ?? 0
        }
      }

      for client in clients { #expect(client.value() == 8 * piece.count) }
      for server in servers { server.value() }
      #expect(try proxy.metric("duplex_shadow_connections_open", becomes: 0) == 0)
      #expect(try proxy.metric("duplex_shadow_drops_total") == 0)
      let answers = 2 * clientCount * 8 * piece.count
      #expect(try proxy.metric("duplex_shadow_answer_bytes_total") == answers)
      proxy.stop()
      primary.close()
      shadow.close()
    }

    @Test func `bulky answers pass unix sockets`() throws {
      let address = try #require(
        SocketAddress(unixPath: "/tmp/duplex-bulky-\(getpid())-\(clinux_monotonic_nanoseconds())")
      )
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address, route: { $0.listen = address })
      let client = try Peer(connectingTo: address)
      let peer = try #require(primary.accept())
      let answer = Noise.bytes(5_000_000, seed: 3)
      let sending = Worker { sendInChunks(answer, on: peer, seed: 4) }
      #expect(try client.receiveToEnd() == answer)
      sending.value()
      for end in [client, peer] { end.close() }
      proxy.stop()
      primary.close()
    }

    @Test func `a client that resets in the middle of a bulky answer leaves nothing behind`() throws
    {
      let primary = Listener()
      let proxy = try TestProxy(primary: primary.address)
      var open: Int32 = 0
      for round in 0..<20 {
        // The first has opened the pipe, which stays.
        if round == 1 {
          #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
          open = clinux_open_descriptors()
        }
        let client = try proxy.connect(receiveBuffer: 65536)
        let peer = try #require(primary.accept())
        let answer = Noise.bytes(4_000_000, seed: UInt64(round))
        let sending = Worker { _ = unlessLost { try peer.send(answer) } }
        let part = try client.receive(exactly: round == 0 ? 3_000_000 : 1 + round * 100_000)
        #expect(answer.starts(with: part))
        client.reset()
        sending.value()
        peer.close()
      }
      #expect(try proxy.metric("duplex_connections_open", becomes: 0) == 0)
      #expect(
        TestProxy.eventually({ clinux_open_descriptors() }, isReached: { $0 <= open }) <= open
      )
      proxy.stop()
      primary.close()
    }
  }
}

/// Sends on from one socket to another, as a server does.
private final class Relayer<Loop: EventLoop>: CompletionHandler {
  private let loop: Loop
  private var sink: SocketID?
  private var connected = 0
  private(set) var received = 0
  private(set) var forwarded = 0
  private(set) var isOver = false
  private var hasEnded = false
  private var owed = 0
  private var isUnderway = false

  init(_ loop: Loop) { self.loop = loop }

  func connect(to address: SocketAddress, _ role: ProxyServer.Tag.Role) throws -> SocketID {
    let socket = loop.adopt(loop.stream(AF_INET), tag: ProxyServer.Tag(role: role, index: 0))
    loop.connect(try #require(socket), to: address)
    let wanted = connected + 1
    while connected < wanted {
      loop.turn(until: clinux_monotonic_nanoseconds() + 1_000_000, self)
    }
    return socket!
  }

  func begin(from source: SocketID, to sink: SocketID) {
    self.sink = sink
    loop.forward(source, to: sink)
    loop.receive(source, .bytes)
  }

  func discardLimit(tag: ProxyServer.Tag) -> Int { .max }

  func completed(_ completion: Completion, tag: ProxyServer.Tag, socket: SocketID) {
    switch completion {
    case .connected: connected += 1
    case .received(let bytes):
      received += bytes.count
      switch loop.send(bytes, on: sink!) {
      case .taken(let owed): self.owed += owed
      case .underway: isUnderway = true
      }
    case .forwarded(let count, let owed):
      forwarded += count
      self.owed += owed
    case .settled(let owed):
      isUnderway = false
      self.owed += owed
    case .sent(let count): owed -= count
    case .ended: hasEnded = true
    case .accepted, .acceptFailed, .failed, .sendFailed, .lost, .discarded:
      Issue.record("\(completion)")
    }
    if hasEnded, owed == 0, !isUnderway, !isOver {
      loop.finish(sink!)
      isOver = true
    }
  }
}
