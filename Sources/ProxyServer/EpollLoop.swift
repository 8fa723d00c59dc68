import CLinux
import Duplex
import Glibc

/// The event loop on epoll, edge-triggered: a socket is registered once and never again, and pausing is a flag.
///
/// It remembers which sockets may have more to read. One socket gets a bounded share of a turn, so that an
/// endless sender delays nobody.
final class EpollLoop: EventLoop {
  /// One receive takes at most this much.
  static let receiveSize = 256 * 1024
  /// Receives, or accepts, of one socket in one turn.
  private static let share = 4
  private static let acceptShare = 64
  private static let eventCount = 512

  private let epoll: Int32
  private let events: UnsafeMutablePointer<epoll_event>
  let buffer: UnsafeMutableRawBufferPointer
  var sockets: [EpollSocket] = []
  private var free: [UInt32] = []
  /// Sockets that have more to read, or a failure to report, without another event.
  private var ready: [SocketID] = []
  private var unixConnects = UnixConnects()
  var failures: [(socket: SocketID, errno: Int32)] = []
  let pool = BlockPool()
  lazy var passage = Passage()

  /// Nil when the kernel gives no epoll descriptor.
  init?() {
    epoll = clinux_epoll_create()
    guard epoll >= 0 else { return nil }
    events = .allocate(capacity: Self.eventCount)
    buffer = .allocate(byteCount: Self.receiveSize, alignment: 4096)
  }

  deinit {
    for socket in sockets where socket.descriptor >= 0 { Glibc.close(socket.descriptor) }
    Glibc.close(epoll)
    events.deallocate()
    buffer.deallocate()
  }

  func stream(_ family: Int32) -> Int32 { clinux_stream_socket(family) }

  func adopt(_ descriptor: Int32, tag: Tag) -> SocketID? {
    let index: UInt32
    if let last = free.popLast() {
      index = last
    } else {
      index = UInt32(sockets.count)
      sockets.append(EpollSocket())
    }
    let generation = sockets[Int(index)].generation
    let interest = UInt32(
      EPOLLIN.rawValue | EPOLLPRI.rawValue | EPOLLOUT.rawValue | EPOLLRDHUP.rawValue
        | EPOLLET.rawValue
    )
    let data = UInt64(generation) << 32 | UInt64(index)
    guard clinux_epoll_add(epoll, descriptor, interest, data) >= 0 else {
      Glibc.close(descriptor)
      free.append(index)
      return nil
    }
    var socket = EpollSocket()
    socket.descriptor = descriptor
    socket.generation = generation
    socket.tag = tag
    sockets[Int(index)] = socket
    return SocketID(index: index, generation: generation)
  }

  func close(_ socket: SocketID, _ how: Closing) {
    guard isOpen(socket) else { return }
    let index = Int(socket.index)
    switch how {
    case .orderly: Glibc.close(sockets[index].descriptor)
    case .reset: clinux_close_by_reset(sockets[index].descriptor)
    }
    sockets[index].output.clear(pool)
    sockets[index] = EpollSocket()
    sockets[index].generation = socket.generation &+ 1
    free.append(socket.index)
  }

  func accept(_ listener: SocketID) {
    guard isOpen(listener) else { return }
    sockets[Int(listener.index)].accepting = true
    // Whether something waits is not known after a rest: looking costs one accept.
    sockets[Int(listener.index)].readable = true
    list(listener)
  }

  func rest(_ listener: SocketID) { sockets[Int(listener.index)].accepting = false }

  func drainAccepts(_ listener: SocketID, _ body: (Int32) -> Void) {
    guard isOpen(listener) else { return }
    while true {
      let descriptor = clinux_accept(sockets[Int(listener.index)].descriptor)
      if descriptor >= 0 {
        body(descriptor)
      } else if descriptor != -ECONNABORTED {
        return
      }
    }
  }

  func connect(_ socket: SocketID, to address: SocketAddress) {
    sockets[Int(socket.index)].connecting = true
    sockets[Int(socket.index)].writable = false
    let hasBegun = unixConnects.begin(socket, to: address, connect: tryToConnect)
    sockets[Int(socket.index)].waiting = !hasBegun
  }

  func descriptor(of socket: SocketID) -> Int32 { sockets[Int(socket.index)].descriptor }

  func receive(_ socket: SocketID, _ reception: Reception) {
    sockets[Int(socket.index)].reception = reception
    if reception != .off, sockets[Int(socket.index)].readable { list(socket) }
  }

  func send(_ bytes: UnsafeRawBufferPointer, on socket: SocketID) -> Sending {
    guard bytes.count > 0 else { return .taken(owed: 0) }
    let index = Int(socket.index)
    var sent = 0
    if sockets[index].writable, sockets[index].output.isEmpty {
      let result = clinux_send(sockets[index].descriptor, bytes.baseAddress, bytes.count)
      if result == bytes.count { return .taken(owed: 0) }
      if result < 0, result != -Int(EAGAIN) {
        failures.append((socket, Int32(-result)))
        return .taken(owed: 0)
      }
      sockets[index].writable = false
      sent = max(0, result)
    }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[sent...])
    sockets[index].output.append(rest, pool)
    return .taken(owed: rest.count)
  }

  func end() {}

  func turn(until deadline: UInt64, _ handler: some CompletionHandler) {
    let count = clinux_epoll_wait(
      epoll,
      events,
      Int32(Self.eventCount),
      timeout(until: deadline)
    )
    // Sockets that were left with more to read have waited for a turn already: they come after the new events,
    // and those that get listed meanwhile wait for the next turn.
    let waiting = ready
    if !waiting.isEmpty { ready = [] }
    for position in 0..<max(0, Int(count)) {
      let event = events[position]
      let socket = SocketID(
        index: UInt32(truncatingIfNeeded: event.data.u64),
        generation: UInt32(truncatingIfNeeded: event.data.u64 >> 32)
      )
      guard isOpen(socket), !sockets[Int(socket.index)].waiting else { continue }
      took(event.events, socket, handler)
    }
    for socket in waiting where isOpen(socket) && sockets[Int(socket.index)].listed {
      sockets[Int(socket.index)].listed = false
      if sockets[Int(socket.index)].connecting {
        connectEnded(socket, handler)
      } else {
        read(socket, handler)
      }
    }
    if unixConnects.next != .max {
      unixConnects.retry(
        now: clinux_monotonic_nanoseconds(),
        isWanted: isOpen,
        connect: tryToConnect
      )
    }
    reportFailures(handler)
  }
}

extension EpollLoop {
  func isOpen(_ socket: SocketID) -> Bool {
    sockets[Int(socket.index)].generation == socket.generation
      && sockets[Int(socket.index)].descriptor >= 0
  }

  func list(_ socket: SocketID) {
    guard !sockets[Int(socket.index)].listed else { return }
    sockets[Int(socket.index)].listed = true
    ready.append(socket)
  }

  private func timeout(until deadline: UInt64) -> Int32 {
    guard ready.isEmpty, failures.isEmpty else { return 0 }
    let deadline = min(deadline, unixConnects.next)
    guard deadline != .max else { return -1 }
    let now = clinux_monotonic_nanoseconds()
    guard deadline > now else { return 0 }
    // Rounded up: waking a little early would only mean to wait again.
    return Int32(min((deadline - now + 999_999) / 1_000_000, 1 << 30))
  }

  /// False where a unix socket has no room for the connection.
  private func tryToConnect(_ socket: SocketID, _ address: SocketAddress) -> Bool {
    let descriptor = sockets[Int(socket.index)].descriptor
    let result = address.withPointer { clinux_connect(descriptor, $0, $1) }
    guard result != -EAGAIN || address.family != AF_UNIX else { return false }
    sockets[Int(socket.index)].waiting = false
    switch result {
    case 0: list(socket)
    case -EINPROGRESS: break
    default: failures.append((socket, -result))
    }
    return true
  }

  private func took(_ flags: UInt32, _ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    let broken = flags & UInt32(EPOLLERR.rawValue | EPOLLHUP.rawValue) != 0
    if sockets[index].connecting {
      if broken || flags & UInt32(EPOLLOUT.rawValue) != 0 { connectEnded(socket, handler) }
      guard isOpen(socket), !sockets[index].connecting else { return }
    }
    if flags & UInt32(EPOLLIN.rawValue | EPOLLRDHUP.rawValue) != 0 || broken {
      sockets[index].readable = true
      if broken || flags & UInt32(EPOLLRDHUP.rawValue | EPOLLPRI.rawValue) != 0 {
        sockets[index].isReadToEmpty = true
      }
    }
    if flags & UInt32(EPOLLOUT.rawValue) != 0 {
      sockets[index].writable = true
      flush(socket, handler)
      guard isOpen(socket) else { return }
    }
    if sockets[index].reception == .off, !sockets[index].accepting {
      if flags & UInt32(EPOLLERR.rawValue) != 0 {
        handler.completed(.lost, tag: sockets[index].tag, socket: socket)
      }
    } else if sockets[index].readable {
      read(socket, handler)
    }
  }

  private func connectEnded(_ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    let result = clinux_take_error(sockets[index].descriptor)
    if result < 0 {
      handler.completed(.failed(errno: -result), tag: sockets[index].tag, socket: socket)
      return
    }
    sockets[index].connecting = false
    sockets[index].writable = true
    handler.completed(.connected, tag: sockets[index].tag, socket: socket)
    if isOpen(socket) { flush(socket, handler) }
  }

  /// Sends what is owed, as far as the socket takes it.
  private func flush(_ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    let (taken, errno) = sockets[index].output.send(to: sockets[index].descriptor, pool)
    if errno != 0 { sockets[index].writable = false }
    if errno != 0, errno != EAGAIN { failures.append((socket, errno)) }
    if taken > 0 { handler.completed(.sent(taken), tag: sockets[index].tag, socket: socket) }
    guard isOpen(socket), sockets[index].output.isEmpty, sockets[index].writable,
      let source = sockets[index].source, isOpen(source), sockets[Int(source.index)].readable
    else { return }
    list(source)
  }

  private func read(_ socket: SocketID, _ handler: some CompletionHandler) {
    if sockets[Int(socket.index)].accepting {
      acceptWaiting(socket, handler)
    } else {
      receiveWaiting(socket, handler)
    }
  }

  private func acceptWaiting(_ listener: SocketID, _ handler: some CompletionHandler) {
    let index = Int(listener.index)
    for _ in 0..<Self.acceptShare {
      guard isOpen(listener), sockets[index].accepting else { return }
      let tag = sockets[index].tag
      let descriptor = clinux_accept(sockets[index].descriptor)
      switch descriptor {
      case 0...: handler.completed(.accepted(descriptor), tag: tag, socket: listener)
      case -EAGAIN:
        sockets[index].readable = false
        return
      case -ECONNABORTED, -EINTR: continue
      default:
        sockets[index].accepting = false
        handler.completed(.acceptFailed(errno: -descriptor), tag: tag, socket: listener)
        return
      }
    }
    if isOpen(listener), sockets[index].accepting { list(listener) }
  }

  private func receiveWaiting(_ socket: SocketID, _ handler: some CompletionHandler) {
    let index = Int(socket.index)
    for _ in 0..<Self.share {
      guard isOpen(socket), sockets[index].readable else { return }
      if sockets[index].reception == .bytes, sockets[index].fullness.isBulky,
        let sink = sockets[index].sink, isOpen(sink), let passage,
        !forwardWaiting(socket, sink, passage, handler)
      {
        return
      }
      let tag = sockets[index].tag
      var limit = Self.receiveSize
      let result: Int
      switch sockets[index].reception {
      case .off: return
      case .bytes:
        result = clinux_receive(sockets[index].descriptor, buffer.baseAddress, buffer.count)
      case .discard:
        let allowed = handler.discardLimit(tag: tag)
        guard allowed > 0 else { return }
        limit = min(limit, allowed)
        result = discard(socket, atMost: allowed)
      }
      if result < limit, !sockets[index].isReadToEmpty {
        sockets[index].readable = false
      }
      switch result {
      case 1...:
        if sockets[index].reception == .bytes {
          sockets[index].fullness.received(result)
          let bytes = UnsafeRawBufferPointer(start: buffer.baseAddress, count: result)
          handler.completed(.received(bytes), tag: tag, socket: socket)
        } else {
          handler.completed(.discarded(result), tag: tag, socket: socket)
        }
      case 0:
        sockets[index].readable = false
        sockets[index].reception = .off
        handler.completed(.ended, tag: tag, socket: socket)
      case -Int(EAGAIN):
        sockets[index].readable = false
        return
      default:
        sockets[index].readable = false
        sockets[index].reception = .off
        handler.completed(.failed(errno: Int32(-result)), tag: tag, socket: socket)
      }
    }
    if isOpen(socket), sockets[index].readable, sockets[index].reception != .off { list(socket) }
  }

  private func reportFailures(_ handler: some CompletionHandler) {
    // Reporting one may cause another; that one is for the next turn.
    guard !failures.isEmpty else { return }
    let reported = failures
    failures = []
    for (socket, errno) in reported where isOpen(socket) {
      let index = Int(socket.index)
      let tag = sockets[index].tag
      if sockets[index].connecting {
        handler.completed(.failed(errno: errno), tag: tag, socket: socket)
      } else {
        handler.completed(.sendFailed(errno: errno), tag: tag, socket: socket)
      }
    }
  }
}
