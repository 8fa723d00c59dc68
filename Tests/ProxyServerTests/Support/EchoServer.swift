import Glibc
import Synchronization

@testable import ProxyServer

/// Gives every client back what it sent, each on a thread of its own, until stopped.
final class EchoServer: Sendable {
  let listener = Listener()
  private let accepting: Worker<Void>

  init() {
    let listener = listener
    accepting = Worker {
      var clients: [Worker<Void>] = []
      while let peer = listener.accept(milliseconds: 170_000) {
        clients.append(Worker { EchoServer.serve(peer) })
      }
      for client in clients { client.value() }
    }
  }

  /// Ends when all clients are gone, as they are when the proxy has stopped.
  func stop() {
    shutdown(listener.descriptor, Int32(SHUT_RDWR))
    accepting.value()
    listener.close()
  }

  private static func serve(_ peer: Peer) {
    defer { peer.close() }
    while let bytes = unlessLost({ try peer.receive() }), !bytes.isEmpty {
      guard unlessLost({ try peer.send(bytes) }) != nil else { return }
    }
  }
}

/// Reached once, for all threads to see.
final class Moment: Sendable {
  private let state = Atomic(false)

  var isReached: Bool { state.load(ordering: .acquiring) }

  func reach() { state.store(true, ordering: .releasing) }
}
