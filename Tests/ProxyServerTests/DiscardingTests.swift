import CLinux
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

/// Throws away what it is sent, once it is willing to.
private final class Discarder<Loop: EventLoop>: CompletionHandler {
  private let loop: Loop
  private var socket: SocketID?
  private var isConnected = false
  var isWilling = false
  private(set) var refusals = 0
  private(set) var discarded = 0
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

  func discards(tag: ProxyServer.Tag) -> Bool {
    guard !isWilling, let socket else { return true }
    refusals += 1
    loop.receive(socket, .off)
    return false
  }

  func completed(_ completion: Completion, tag: ProxyServer.Tag, socket: SocketID) {
    switch completion {
    case .connected: isConnected = true
    case .discarded(let count): discarded += count
    case .ended: hasEnded = true
    case .accepted, .acceptFailed, .failed, .sendFailed, .lost, .received, .forwarded, .sent,
      .settled:
      Issue.record("\(completion)")
    }
  }
}
