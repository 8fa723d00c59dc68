import CLinux
import Glibc

@testable import ProxyServer

/// One end of a connection, blocking with a deadline on every call.
final class Peer: Sendable {
  enum Failure: Error, Equatable {
    case reset, timedOut
    case other(Int32)
  }

  let descriptor: Int32

  init(_ descriptor: Int32) {
    self.descriptor = descriptor
    let flags = fcntl(descriptor, F_GETFL)
    _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK)
    setTimeout(seconds: 20)
  }

  convenience init(
    connectingTo port: UInt16,
    from source: SocketAddress? = nil,
    receiveBuffer: Int32? = nil,
    sendBuffer: Int32? = nil
  ) throws(Failure) {
    try self.init(
      connectingTo: SocketAddress(literal: "127.0.0.1", port: port)!,
      from: source,
      receiveBuffer: receiveBuffer,
      sendBuffer: sendBuffer
    )
  }

  convenience init(
    connectingTo address: SocketAddress,
    from source: SocketAddress? = nil,
    receiveBuffer: Int32? = nil,
    sendBuffer: Int32? = nil
  ) throws(Failure) {
    let descriptor = clinux_stream_socket(address.family)
    let flags = fcntl(descriptor, F_GETFL)
    _ = fcntl(descriptor, F_SETFL, flags & ~O_NONBLOCK)
    if let receiveBuffer { Peer.set(descriptor, SO_RCVBUF, receiveBuffer) }
    if let sendBuffer { Peer.set(descriptor, SO_SNDBUF, sendBuffer) }
    if let source { _ = source.withPointer { bind(descriptor, $0, $1) } }
    let result = address.withPointer { clinux_connect(descriptor, $0, $1) }
    if result < 0 {
      Glibc.close(descriptor)
      throw result == -ECONNREFUSED ? .other(ECONNREFUSED) : .other(-result)
    }
    self.init(descriptor)
  }

  func setTimeout(seconds: Int) {
    var time = timeval(tv_sec: seconds, tv_usec: 0)
    let size = socklen_t(MemoryLayout<timeval>.size)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, size)
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, size)
  }

  func send(_ bytes: [UInt8]) throws(Failure) {
    var sent = 0
    while sent < bytes.count {
      let result = bytes.withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress! + sent, $0.count - sent, Int32(MSG_NOSIGNAL))
      }
      guard result > 0 else { throw Peer.failure() }
      sent += result
    }
  }

  /// A byte of TCP's urgent data.
  func sendUrgently(_ byte: UInt8) throws(Failure) {
    let flags = Int32(MSG_NOSIGNAL) | Int32(MSG_OOB)
    guard withUnsafePointer(to: byte, { Glibc.send(descriptor, $0, 1, flags) }) == 1 else {
      throw Peer.failure()
    }
  }

  /// Up to `size` bytes; empty at the peer's FIN.
  func receive(upTo size: Int = 65536) throws(Failure) -> [UInt8] {
    var failure: Failure?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      let result = recv(descriptor, buffer.baseAddress, size, 0)
      if result < 0 { failure = Peer.failure() }
      count = max(0, result)
    }
    if let failure { throw failure }
    return bytes
  }

  func receive(exactly count: Int) throws(Failure) -> [UInt8] {
    var bytes: [UInt8] = []
    while bytes.count < count {
      let more = try receive(upTo: min(1 << 18, count - bytes.count))
      if more.isEmpty { return bytes }
      bytes += more
    }
    return bytes
  }

  func receiveToEnd() throws(Failure) -> [UInt8] { try receive(exactly: .max) }

  /// What comes until the end or the reset, and which of them it was.
  func receiveAll() -> (bytes: [UInt8], failure: Failure?) {
    var bytes: [UInt8] = []
    do throws(Failure) {
      while true {
        let more = try receive()
        if more.isEmpty { return (bytes, nil) }
        bytes += more
      }
    } catch {
      return (bytes, error)
    }
  }

  func finish() { shutdown(descriptor, Int32(SHUT_WR)) }

  func close() { Glibc.close(descriptor) }

  func reset() { clinux_close_by_reset(descriptor) }

  private static func failure() -> Failure {
    switch errno {
    case ECONNRESET, EPIPE: .reset
    case EAGAIN: .timedOut
    default: .other(errno)
    }
  }

  static func set(_ descriptor: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, SOL_SOCKET, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}

/// A listening socket on an ephemeral port of the loopback.
final class Listener: Sendable {
  let descriptor: Int32
  let port: UInt16

  /// - Parameter isAsleep: it has its port, and refuses connections until woken.
  init(backlog: Int32 = 4096, receiveBuffer: Int32? = nil, isAsleep: Bool = false) {
    let descriptor = clinux_stream_socket(AF_INET)
    if let receiveBuffer { Peer.set(descriptor, SO_RCVBUF, receiveBuffer) }
    _ = SocketAddress(literal: "127.0.0.1", port: 0)!.withPointer { bind(descriptor, $0, $1) }
    if !isAsleep { listen(descriptor, backlog) }
    self.descriptor = descriptor
    port = SocketAddress.port(ofSocket: descriptor)
  }

  func wake() { listen(descriptor, 4096) }

  var address: SocketAddress { SocketAddress(literal: "127.0.0.1", port: port)! }

  /// The next connection, or nil when none comes within the deadline or the listener is closed.
  func accept(milliseconds: Int32 = 20_000) -> Peer? {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    guard poll(&entry, 1, milliseconds) == 1 else { return nil }
    let accepted = clinux_accept(descriptor)
    return accepted >= 0 ? Peer(accepted) : nil
  }

  func close() { Glibc.close(descriptor) }
}

/// Bytes that no two offsets confuse, from a seed.
struct Noise: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }

  static func bytes(_ count: Int, seed: UInt64) -> [UInt8] {
    var noise = Noise(seed: seed)
    return [UInt8](unsafeUninitializedCapacity: count + 8) { buffer, filled in
      var position = 0
      while position < count {
        UnsafeMutableRawPointer(buffer.baseAddress! + position)
          .storeBytes(of: noise.next(), as: UInt64.self)
        position += 8
      }
      filled = count
    }
  }
}
