import CLinux
import Glibc

@testable import ProxyServer

/// A proxy on its own thread of this process, with one route and an admin endpoint on ephemeral ports.
final class TestProxy: Sendable {
  /// 0 where it listens on a unix socket.
  let port: UInt16
  let adminPort: UInt16
  private let leader: Mailbox
  private let sockets: ListeningSockets
  private let worker: Worker<Void>

  init(
    primary: SocketAddress,
    shadows: [SocketAddress] = [],
    copying: CopyingPolicy = CopyingPolicy(),
    descriptorLimit: Int = 1 << 20,
    threads: Int = 1,
    secondAdmin: SocketAddress? = nil,
    _ change: (inout Limits) -> Void = { _ in },
    route: (inout Route) -> Void = { _ in }
  ) throws {
    var configuration = Configuration()
    let any = SocketAddress(literal: "127.0.0.1", port: 0)!
    configuration.routes = [
      Route(listen: any, primary: primary, shadows: shadows, copying: copying)
    ]
    route(&configuration.routes[0])
    configuration.admin = [any] + (secondAdmin.map { [$0] } ?? [])
    change(&configuration.limits)
    let sockets = try ListeningSockets(configuration, threads: threads)
    self.sockets = sockets
    port = sockets.routes[0].address.port ?? 0
    adminPort = sockets.adminAddresses[0].port!
    let shares = ThreadShare.all(
      threads,
      descriptors: DescriptorCount(limit: descriptorLimit, open: Int(clinux_open_descriptors()))
    )!
    leader = shares[0].mailbox
    let servers = ServerThreads(
      configuration: configuration,
      sockets: sockets,
      shares: shares,
      log: Log(descriptor: -1)
    )
    worker = Worker {
      switch Engine.tested {
      case .epoll: _ = servers.run(ServerThreads.loops(threads) { EpollLoop() }!)
      case .uring: _ = servers.run(ServerThreads.loops(threads) { UringLoop() }!)
      }
    }
  }

  func connect(receiveBuffer: Int32? = nil, sendBuffer: Int32? = nil) throws -> Peer {
    try Peer(connectingTo: port, receiveBuffer: receiveBuffer, sendBuffer: sendBuffer)
  }

  /// One request to stop; the first drains.
  func requestStop() { leader.post(.stop) }

  func waitUntilStopped() {
    worker.value()
    for path in sockets.routes.compactMap(\.address.unixPath) { unlink(path) }
  }

  /// Stops at once and waits for the end.
  func stop() {
    requestStop()
    requestStop()
    waitUntilStopped()
  }

  /// - Parameter header: lines, each with its end.
  func ask(
    _ path: String,
    method: String = "GET",
    header: String = ""
  ) throws -> (status: Int, body: String) {
    let peer = try Peer(connectingTo: adminPort)
    defer { peer.close() }
    try peer.send(Array("\(method) \(path) HTTP/1.1\r\nHost: test\r\n\(header)\r\n".utf8))
    let text = String(decoding: try peer.receiveToEnd(), as: UTF8.self)
    let status = Int(text.dropFirst("HTTP/1.1 ".count).prefix(3)) ?? 0
    // A CRLF is one Character.
    let body = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
    return (status, body.count == 2 ? String(body[1]) : "")
  }

  /// The sum of a metric's samples whose labels contain the text.
  func metric(_ name: String, _ label: String = "") throws -> Int {
    try ask("/metrics").body.split(separator: "\n").reduce(0) { sum, line in
      let words = line.split(separator: " ")
      let full = words[0]
      guard full == name || full.hasPrefix(name + "{"), full.contains(label) || label.isEmpty
      else { return sum }
      return sum + (Int(words[1]) ?? 0)
    }
  }

  func drops(_ reason: String) throws -> Int {
    try metric("duplex_shadow_drops_total", "reason=\"\(reason)\"")
  }

  /// Polls until the metric has the value, up to a deadline; returns what it was last.
  func metric(_ name: String, _ label: String = "", becomes value: Int) throws -> Int {
    try Self.eventually({ try self.metric(name, label) }, isReached: { $0 == value })
  }

  static func eventually<Value>(
    seconds: Double = 10,
    _ look: () throws -> Value,
    isReached: (Value) -> Bool
  ) rethrows -> Value {
    let deadline = clinux_monotonic_nanoseconds() + UInt64(seconds * 1e9)
    while true {
      let value = try look()
      if isReached(value) || clinux_monotonic_nanoseconds() > deadline { return value }
      usleep(2000)
    }
  }
}
