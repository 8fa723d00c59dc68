import CLinux
import CURing
import Glibc

/// The event loop on io_uring: receives are asked for once and complete again and again, into buffers that the kernel
/// chooses when bytes have come, and a turn is one system call, which does the sends of the turn before. Only accepts,
/// connects to unix sockets, bulky streams, and what a socket could not take at first, have system calls of their own.
///
/// It needs Linux 6.1, and sockets that block: on others the kernel would report that nothing is there instead of
/// waiting. A connect to a unix socket has to be asked for one that does not: where it has to wait, the kernel would keep a
/// thread for each. All of it runs on the thread that takes the first turn.
final class UringLoop: EventLoop {
  static let smallSize = 16 * 1024
  private static let smallCount = 256
  /// A bulky stream is forwarded inside the kernel, or where others want its bytes too, received by `largeSize` at a time,
  /// into one buffer for all, and sent on from there at once, while the bytes are in the processor's cache.
  static let largeSize = 256 * 1024
  /// Receives of a bulky stream in one turn.
  static let share = 4
  /// As many as the completion ring holds, so that a turn leaves none behind.
  private static let batchSize = 8192
  /// Accepts of one listener in one turn.
  static let acceptShare = 64

  let ring: UnsafeMutablePointer<io_uring>
  private var isEnabled = false
  let small: BufferGroup
  let buffer: UnsafeMutableRawBufferPointer
  lazy var passage = Passage()
  let batch: UnsafeMutablePointer<curing_completion>
  private(set) var batchCount = 0
  private var batchPosition = 0
  var sockets: [UringSocket] = []
  private var free: [UInt32] = []
  /// Sockets that have something to hand over without another completion.
  var ready: [SocketID] = []
  var failures: [(socket: SocketID, errno: Int32)] = []
  private var unixConnects = UnixConnects()
  /// Addresses that the kernel reads at the next submission.
  private var addresses: [UnsafeMutableRawPointer] = []
  let pool = BlockPool()
  /// The sends of this turn, and those that the kernel was asked for at its beginning.
  var asked = SendBatch()
  var submitted = SendBatch()
  /// The receive buffer that is being handed over, and whether a send needs it afterwards.
  var delivered = UnsafeRawBufferPointer(start: nil, count: 0)
  var deliveredIsHeld = false
  /// Something has ended: what is under way is to be settled without waiting for something else to happen.
  var isHurried = false

  /// Nil when the kernel is older than 6.1, forbids io_uring, or has no room for it.
  init?() {
    ring = .allocate(capacity: 1)
    guard curing_open(ring, 1024, UInt32(Self.batchSize)) == 0 else {
      ring.deallocate()
      return nil
    }
    guard let small = BufferGroup(ring, 0, size: Self.smallSize, count: Self.smallCount) else {
      io_uring_queue_exit(ring)
      ring.deallocate()
      return nil
    }
    self.small = small
    buffer = .allocate(byteCount: Self.largeSize, alignment: 4096)
    batch = .allocate(capacity: Self.batchSize)
  }

  deinit {
    io_uring_queue_exit(ring)
    ring.deallocate()
    for socket in sockets where socket.descriptor >= 0 { Glibc.close(socket.descriptor) }
    for address in addresses { address.deallocate() }
    batch.deallocate()
    buffer.deallocate()
  }

  func stream(_ family: Int32) -> Int32 {
    family == AF_UNIX ? clinux_stream_socket(family) : clinux_blocking_stream_socket(family)
  }

  func adopt(_ descriptor: Int32, tag: Tag) -> SocketID? {
    switch tag.role {
    case .mailbox: clinux_set_blocking(descriptor, 1)
    case .listener, .adminListener, .client, .primary, .shadow, .admin, .probe: break
    }
    let index: UInt32
    if let last = free.popLast() {
      index = last
    } else {
      index = UInt32(sockets.count)
      sockets.append(UringSocket())
    }
    sockets[Int(index)].descriptor = descriptor
    sockets[Int(index)].tag = tag
    return SocketID(index: index, generation: sockets[Int(index)].generation)
  }

  func close(_ socket: SocketID, _ how: Closing) {
    guard isOpen(socket) else { return }
    let index = Int(socket.index)
    let descriptor = sockets[index].descriptor
    isHurried = true
    if sockets[index].order >= 0 { sendBeforeClosing(socket) }
    if how == .reset { clinux_reset_at_close(descriptor) }
    // While the kernel has a request for it, the connection would outlive its descriptor.
    var isAsked = false
    sockets[index].forEachRequest {
      isAsked = true
      curing_cancel(ring, data(socket, $0))
    }
    if isAsked {
      curing_close(ring, descriptor)
    } else {
      Glibc.close(descriptor)
    }
    sockets[index].output.clear(pool)
    sockets[index] = UringSocket()
    sockets[index].generation = (socket.generation &+ 1) & Self.generationMask
    free.append(socket.index)
  }

  func accept(_ listener: SocketID) {
    guard isOpen(listener) else { return }
    sockets[Int(listener.index)].accepting = true
    armAccept(listener)
  }

  func rest(_ listener: SocketID) { sockets[Int(listener.index)].accepting = false }

  func drainAccepts(_ listener: SocketID, _ body: (Int32) -> Void) {
    guard isOpen(listener) else { return }
    while true {
      let descriptor = clinux_accept_blocking(sockets[Int(listener.index)].descriptor)
      if descriptor >= 0 {
        body(descriptor)
      } else if descriptor != -ECONNABORTED {
        return
      }
    }
  }

  func connect(_ socket: SocketID, to address: SocketAddress) {
    let index = Int(socket.index)
    sockets[index].connecting = true
    sockets[index].writable = false
    guard address.family != AF_UNIX else { return connectToUnix(socket, address) }
    sockets[index].isConnectAsked = true
    address.withPointer { pointer, length in
      let kept = UnsafeMutableRawPointer.allocate(byteCount: Int(length), alignment: 16)
      kept.copyMemory(from: pointer, byteCount: Int(length))
      addresses.append(kept)
      curing_connect(
        ring,
        sockets[index].descriptor,
        kept.assumingMemoryBound(to: sockaddr.self),
        length,
        data(socket, .connect)
      )
    }
  }

  func descriptor(of socket: SocketID) -> Int32 { sockets[Int(socket.index)].descriptor }

  func receive(_ socket: SocketID, _ reception: Reception) {
    let index = Int(socket.index)
    sockets[index].reception = reception
    if reception == .off {
      cancelReceive(socket)
      watch(socket)
    } else {
      if !sockets[index].held.isEmpty || sockets[index].heldEnd != nil { list(socket) }
      armReceive(socket)
    }
  }

  func end() {
    submitSends()
    curing_cancel_all(ring)
  }

  func turn(until deadline: UInt64, _ handler: some CompletionHandler) {
    if !isEnabled {
      let result = curing_enable(ring)
      precondition(result == 0, "the ring that the kernel gave cannot be used: error \(-result)")
      isEnabled = true
    }
    submitSends()
    curing_turn(ring, patience(until: deadline))
    isHurried = false
    for address in addresses { address.deallocate() }
    addresses.removeAll(keepingCapacity: true)
    let waiting = ready
    if !waiting.isEmpty { ready = [] }
    batchPosition = 0
    batchCount = Int(curing_take(ring, batch, UInt32(Self.batchSize)))
    settleSends(handler)
    while batchPosition < batchCount {
      let completion = batch[batchPosition]
      batchPosition += 1
      took(completion, handler)
    }
    for socket in waiting where isOpen(socket) && sockets[Int(socket.index)].listed {
      sockets[Int(socket.index)].listed = false
      if sockets[Int(socket.index)].connecting {
        connected(0, socket, handler)
      } else {
        handOver(socket, handler)
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

// MARK: Identity

extension UringLoop {
  static var generationMask: UInt32 { 0x0fff_ffff }

  func data(_ socket: SocketID, _ kind: UringSocket.Kind) -> UInt64 {
    kind.rawValue << 60 | UInt64(socket.generation) << 32 | UInt64(socket.index)
  }

  func isOpen(_ socket: SocketID) -> Bool {
    sockets[Int(socket.index)].generation == socket.generation
      && sockets[Int(socket.index)].descriptor >= 0
  }

  func list(_ socket: SocketID) {
    guard !sockets[Int(socket.index)].listed else { return }
    sockets[Int(socket.index)].listed = true
    ready.append(socket)
  }

  /// Nanoseconds that the next turn may wait.
  private func patience(until deadline: UInt64) -> UInt64 {
    guard ready.isEmpty, failures.isEmpty else { return 0 }
    if isHurried, !submitted.isEmpty { return 0 }
    let deadline = min(deadline, unixConnects.next)
    guard deadline != .max else { return .max }
    let now = clinux_monotonic_nanoseconds()
    return deadline > now ? deadline - now : 0
  }
}

// MARK: Asking the kernel

extension UringLoop {
  private func connectToUnix(_ socket: SocketID, _ address: SocketAddress) {
    sockets[Int(socket.index)].isBlocking = false
    _ = unixConnects.begin(socket, to: address, connect: tryToConnect)
  }

  /// False where a unix socket has no room for the connection.
  private func tryToConnect(_ socket: SocketID, _ address: SocketAddress) -> Bool {
    let descriptor = sockets[Int(socket.index)].descriptor
    let result = address.withPointer { clinux_connect(descriptor, $0, $1) }
    guard result != -EAGAIN else { return false }
    if result == 0 { list(socket) } else { failures.append((socket, -result)) }
    return true
  }

  /// Asks to hear of connections. They are not accepted by the ring itself: it would go on for a while after its process was
  /// killed, and faster than the server can say that descriptors are scarce.
  func armAccept(_ listener: SocketID) {
    let index = Int(listener.index)
    guard sockets[index].accepting, !sockets[index].isAccepting else { return }
    sockets[index].isAccepting = true
    curing_poll(ring, sockets[index].descriptor, UInt32(POLLIN), data(listener, .accept))
  }

  /// Asks for what the server wants to receive, unless something else is still with the kernel.
  func armReceive(_ socket: SocketID) {
    let index = Int(socket.index)
    guard sockets[index].receive == .none, !sockets[index].connecting,
      sockets[index].heldEnd == nil
    else { return }
    let receive: UringSocket.Receive =
      switch sockets[index].reception {
      case .off: .none
      case .bytes: sockets[index].fullness.isBulky ? .large : .small
      case .discard: .discard
      }
    sockets[index].receive = receive
    if receive == .small { setBlocking(index, true) }
    let descriptor = sockets[index].descriptor
    let data = data(socket, receive.kind)
    switch receive {
    case .none: break
    case .small: curing_receive_on(ring, descriptor, small.number, data)
    case .large, .discard: curing_poll(ring, descriptor, UInt32(POLLIN), data)
    }
  }

  func setBlocking(_ index: Int, _ isBlocking: Bool) {
    guard sockets[index].isBlocking != isBlocking else { return }
    sockets[index].isBlocking = isBlocking
    clinux_set_blocking(sockets[index].descriptor, isBlocking ? 1 : 0)
  }

  func cancelReceive(_ socket: SocketID) {
    let index = Int(socket.index)
    guard sockets[index].receive != .none, !sockets[index].isCancelling else { return }
    sockets[index].isCancelling = true
    curing_cancel(ring, data(socket, sockets[index].receive.kind))
  }

  func awaitRoom(_ socket: SocketID) {
    let index = Int(socket.index)
    sockets[index].writable = false
    guard !sockets[index].awaitsRoom else { return }
    sockets[index].awaitsRoom = true
    curing_poll(ring, sockets[index].descriptor, UInt32(POLLOUT), data(socket, .room))
  }

  /// Asks to be told when the connection breaks, while nobody receives from it. A primary's end is heard of when what
  /// it had sent has been received, and not before.
  func watch(_ socket: SocketID) {
    let index = Int(socket.index)
    guard !sockets[index].isWatched, !sockets[index].connecting,
      sockets[index].tag.role != .primary
    else { return }
    sockets[index].isWatched = true
    curing_poll(ring, sockets[index].descriptor, 0, data(socket, .watch))
  }
}
