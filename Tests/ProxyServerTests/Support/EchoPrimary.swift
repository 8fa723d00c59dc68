import CLinux
import Glibc

@testable import ProxyServer

/// A primary that answers each byte with the same byte, for many clients at once.
final class EchoPrimary: Sendable {
  let listener = Listener()
  private let thread: Worker<Void>
  private let stopDescriptor: Int32

  init() {
    var pair: [Int32] = [-1, -1]
    _ = clinux_socket_pair(&pair)
    stopDescriptor = pair[1]
    let (stop, listening) = (pair[0], listener.descriptor)
    thread = Worker { Self.serve(listening, stop) }
  }

  var address: SocketAddress { listener.address }

  func stop() {
    close(stopDescriptor)
    thread.value()
    listener.close()
  }

  /// Until the other end of `stop` is closed.
  private static func serve(_ listening: Int32, _ stop: Int32) {
    var entries = [stop, listening].map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
    var buffer = [UInt8](repeating: 0, count: 65536)
    while poll(&entries, nfds_t(entries.count), -1) >= 0, entries[0].revents == 0 {
      for index in entries.indices.dropFirst(2) where entries[index].revents != 0 {
        let count = clinux_receive(entries[index].fd, &buffer, buffer.count)
        if count > 0, clinux_send(entries[index].fd, buffer, count) == count { continue }
        close(entries[index].fd)
        entries[index].fd = -1
      }
      entries.removeAll { $0.fd < 0 }
      guard entries[1].revents != 0 else { continue }
      let accepted = clinux_accept(listening)
      guard accepted >= 0 else { continue }
      entries.append(pollfd(fd: accepted, events: Int16(POLLIN), revents: 0))
    }
    for entry in entries.dropFirst(2) { close(entry.fd) }
    close(stop)
  }
}
