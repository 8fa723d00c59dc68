import CLinux
import Duplex
import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Discarding {
    @Test func `answers wait in the kernel while they are not wanted, and are thrown away later`()
      throws
    {
      switch Engine.tested {
      case .epoll: try waits(#require(EpollLoop()))
      case .uring: try waits(#require(UringLoop()))
      }
    }

    @Test func `no more is thrown away at a time than allowed, and the rest is not forgotten`()
      throws
    {
      switch Engine.tested {
      case .epoll: try takesParts(#require(EpollLoop()))
      case .uring: try takesParts(#require(UringLoop()))
      }
    }

    @Test func `many shadows that answer without end are thrown away no faster than one`() throws {
      // Six for each connection.
      try #require(clinux_raise_descriptor_limit() > 4000)
      let (primary, shadow) = (Listener(), Listener())
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address])
      let started = clinux_monotonic_nanoseconds()
      let clients = try (0..<600).map { _ in try proxy.connect() }
      for client in clients { try client.send([1]) }
      let endless = Endless(clients.map { _ in shadow.accept()! })

      // Within the allowance that takes two seconds, and what each of them answered at first is looked for after one.
      let enough = 300 << 20
      let thrownAway = try TestProxy.eventually(
        seconds: 20,
        { try proxy.metric("duplex_shadow_answer_bytes_total") },
        isReached: { $0 > enough }
      )
      let seconds = Double(clinux_monotonic_nanoseconds() - started) / 1e9
      endless.stop()

      let allowed = Double(AnswerAllowance.most) + seconds * Double(128 << 20)
      #expect(thrownAway > enough)
      // The last one may have been larger than what was left.
      #expect(thrownAway < Int(allowed) + 2 * Shadowing.wide)
      proxy.stop()
      for client in clients { client.close() }
      shadow.close()
      primary.close()
    }

    @Test(arguments: [100, 8_000_000])
    func `shadows that answer without end cost a good one no copy`(size: Int) throws {
      let (primary, bad, good) = (Listener(), Listener(), Listener())
      let proxy = try TestProxy(
        primary: primary.address,
        shadows: [bad.address, good.address],
        { $0.shadowLinger = 2_000_000_000 }
      )
      let answer = Noise.bytes(size, seed: 3)
      // Connections that stay open and quiet, whose answers are all that the allowance gives.
      let quiet = try (0..<100).map { _ in try proxy.connect() }
      for client in quiet { try client.send([1]) }
      let endless = Endless(quiet.map { _ in bad.accept()! })
      let idle = quiet.flatMap { _ in [primary.accept()!, good.accept()!] }

      for _ in 0..<20 {
        let client = try proxy.connect()
        try client.send([1])
        let ignored = try #require(bad.accept())
        let servers = try [primary, good].map { listener in try #require(listener.accept()) }
          .map { peer in
            Worker {
              let request = unlessLost { try peer.receive(exactly: 1) }
              _ = unlessLost { try peer.send(answer) }
              peer.finish()
              _ = peer.receiveAll()
              peer.close()
              return request != nil
            }
          }
        #expect(client.receiveAll().bytes == answer)
        client.close()
        ignored.close()
        #expect(servers[0].value() && servers[1].value())
      }

      let open = "duplex_shadow_connections_open"
      let name = "shadow=\"\(good.address)\""
      #expect(
        try TestProxy.eventually({ try proxy.metric(open, name) }, isReached: { $0 == 100 }) == 100
      )
      #expect(try proxy.metric("duplex_shadow_drops_total", name) == 0)
      #expect(try proxy.metric("duplex_shadow_answer_bytes_total", name) == 20 * size)
      endless.stop()
      proxy.stop()
      for peer in quiet + idle { peer.close() }
      for listener in [primary, bad, good] { listener.close() }
    }

    private func takesParts(_ loop: some EventLoop) throws {
      let listener = Listener()
      let discarder = Discarder(loop)
      discarder.isWilling = true
      discarder.limit = 400
      let socket = try discarder.connect(to: listener.address)
      let peer = try #require(listener.accept())

      try peer.send(Noise.bytes(1000, seed: 1))
      loop.receive(socket, .discard)
      discarder.turn { $0.discarded == 1000 }
      peer.close()
      discarder.turn { $0.hasEnded }

      #expect(discarder.discarded == 1000)
      #expect(discarder.most == 400)
      #expect(discarder.hasEnded)
      loop.close(socket, .orderly)
      listener.close()
    }

    private func waits(_ loop: some EventLoop) throws {
      let listener = Listener()
      let discarder = Discarder(loop)
      let socket = try discarder.connect(to: listener.address)
      let peer = try #require(listener.accept())

      loop.receive(socket, .discard)
      try peer.send(Noise.bytes(1000, seed: 1))
      discarder.turn { $0.refusals == 1 }
      try peer.send(Noise.bytes(500, seed: 2))
      // It is not asked again before it receives again.
      for _ in 0..<20 { loop.turn(until: clinux_monotonic_nanoseconds() + 1_000_000, discarder) }
      #expect(discarder.refusals == 1)
      #expect(discarder.discarded == 0)

      discarder.isWilling = true
      loop.receive(socket, .discard)
      discarder.turn { $0.discarded == 1500 }
      peer.close()
      discarder.turn { $0.hasEnded }

      #expect(discarder.discarded == 1500)
      #expect(discarder.hasEnded)
      loop.close(socket, .orderly)
      listener.close()
    }
  }
}

/// Sends all peers as much as they take, until it is stopped.
private struct Endless {
  private let peers: [Peer]
  private let end = Moment()
  private let worker: Worker<Void>

  init(_ peers: [Peer]) {
    self.peers = peers
    worker = Worker { [end] in
      let piece = [UInt8](repeating: 7, count: 64 << 10)
      while !end.isReached {
        for peer in peers { _ = clinux_send(peer.descriptor, piece, piece.count) }
      }
    }
  }

  func stop() {
    end.reach()
    worker.value()
    for peer in peers { peer.close() }
  }
}

/// Throws away what it is sent, once it is willing to.
private final class Discarder<Loop: EventLoop>: CompletionHandler {
  private let loop: Loop
  private var socket: SocketID?
  private var isConnected = false
  var isWilling = false
  var limit = Int.max
  private(set) var refusals = 0
  private(set) var discarded = 0
  /// At a time.
  private(set) var most = 0
  private(set) var hasEnded = false

  init(_ loop: Loop) { self.loop = loop }

  func connect(to address: SocketAddress) throws -> SocketID {
    let socket = try #require(
      loop.adopt(loop.stream(AF_INET), tag: ProxyServer.Tag(role: .shadow, index: 0))
    )
    self.socket = socket
    loop.connect(socket, to: address)
    turn { $0.isConnected }
    return socket
  }

  /// Takes turns until it is so, five seconds at most.
  func turn(until isReached: (Discarder) -> Bool) {
    let deadline = clinux_monotonic_nanoseconds() + 5_000_000_000
    while !isReached(self), clinux_monotonic_nanoseconds() < deadline {
      loop.turn(until: clinux_monotonic_nanoseconds() + 1_000_000, self)
    }
  }

  func discardLimit(tag: ProxyServer.Tag) -> Int {
    guard !isWilling, let socket else { return limit }
    refusals += 1
    loop.receive(socket, .off)
    return 0
  }

  func completed(_ completion: Completion, tag: ProxyServer.Tag, socket: SocketID) {
    switch completion {
    case .connected: isConnected = true
    case .discarded(let count):
      discarded += count
      most = max(most, count)
    case .ended: hasEnded = true
    case .accepted, .acceptFailed, .failed, .sendFailed, .lost, .received, .forwarded, .sent,
      .settled:
      Issue.record("\(completion)")
    }
  }
}
