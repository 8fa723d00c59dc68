import CLinux
import CURing
import Duplex
import Glibc

/// Sending: what came into the kernel's buffers goes out of them again, all of a turn in one system call.
extension UringLoop {
  func send(_ bytes: UnsafeRawBufferPointer, on socket: SocketID) -> Sending {
    guard bytes.count > 0 else { return .taken(owed: 0) }
    let index = Int(socket.index)
    guard sockets[index].writable, sockets[index].output.isEmpty else {
      return owe(bytes, socket)
    }
    let order = sockets[index].order
    guard isDelivering(bytes) else {
      guard order >= 0 else { return sendNow(bytes, socket) }
      // After what was ordered before, and nowhere else.
      asked.add(copying: bytes, to: order)
      return .underway
    }
    deliveredIsHeld = true
    if order >= 0 {
      asked.add(bytes, to: order)
    } else {
      sockets[index].order = asked.add(bytes, for: socket)
    }
    return .underway
  }

  /// What a socket was given in this turn goes out before it is closed, as it would have without a batch.
  func sendBeforeClosing(_ socket: SocketID) {
    let index = Int(socket.index)
    asked.rest(of: Int(sockets[index].order), after: 0) {
      _ = clinux_send(sockets[index].descriptor, $0.baseAddress, $0.count)
    }
  }

  /// Asks the kernel for the sends of the last turn.
  func submitSends() {
    swap(&asked, &submitted)
    submitted.prepare()
    // The kernel does them in this order, each before the next one: clients and primaries do not wait for copies.
    for number in 0..<submitted.orders.count { submit(number, areShadows: false) }
    for number in 0..<submitted.orders.count { submit(number, areShadows: true) }
  }

  private func submit(_ number: Int, areShadows: Bool) {
    let socket = submitted.orders.base[number].socket
    let index = Int(socket.index)
    guard isOpen(socket), (sockets[index].tag.role == .shadow) == areShadows else { return }
    sockets[index].order = -1
    let descriptor = sockets[index].descriptor
    let data = UringSocket.Kind.send.rawValue << 60 | UInt64(number)
    if let bytes = submitted.bytes(of: number) {
      curing_send(ring, descriptor, bytes.baseAddress, bytes.count, data)
    } else {
      curing_send_message(ring, descriptor, submitted.message(of: number), data)
    }
  }

  /// Tells the server what became of the sends: the kernel has done them all when it has submitted them, and says
  /// something only of those that it could not do wholly.
  func settleSends(_ handler: some CompletionHandler) {
    guard !submitted.isEmpty else { return }
    for position in 0..<batchCount
    where batch[position].data >> 60 == UringSocket.Kind.send.rawValue {
      let number = Int(UInt32(truncatingIfNeeded: batch[position].data))
      submitted.orders.base[number].shortfall = batch[position].result
    }
    for number in 0..<submitted.orders.count {
      let socket = submitted.orders.base[number].socket
      guard isOpen(socket) else { continue }
      let tag = sockets[Int(socket.index)].tag
      guard let shortfall = submitted.orders.base[number].shortfall else {
        handler.completed(.settled(owed: 0), tag: tag, socket: socket)
        continue
      }
      guard shortfall >= 0 || shortfall == -EAGAIN else {
        sockets[Int(socket.index)].writable = false
        handler.completed(.sendFailed(errno: -shortfall), tag: tag, socket: socket)
        continue
      }
      let taken = max(0, Int(shortfall))
      submitted.rest(of: number, after: taken) {
        sockets[Int(socket.index)].output.append($0, pool)
      }
      awaitRoom(socket)
      let owed = submitted.orders.base[number].size - taken
      handler.completed(.settled(owed: owed), tag: tag, socket: socket)
    }
    submitted.clear(small)
  }

  /// Whether the bytes lie in the receive buffer that is being handed over.
  private func isDelivering(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard let start = delivered.baseAddress, let base = bytes.baseAddress else { return false }
    return base >= start && base + bytes.count <= start + delivered.count
  }

  private func sendNow(_ bytes: UnsafeRawBufferPointer, _ socket: SocketID) -> Sending {
    let index = Int(socket.index)
    let result = clinux_send(sockets[index].descriptor, bytes.baseAddress, bytes.count)
    if result == bytes.count { return .taken(owed: 0) }
    if result < 0, result != -Int(EAGAIN) {
      failures.append((socket, Int32(-result)))
      return .taken(owed: 0)
    }
    awaitRoom(socket)
    return owe(UnsafeRawBufferPointer(rebasing: bytes[max(0, result)...]), socket)
  }

  private func owe(_ bytes: UnsafeRawBufferPointer, _ socket: SocketID) -> Sending {
    sockets[Int(socket.index)].output.append(bytes, pool)
    return .taken(owed: bytes.count)
  }
}
