import Glibc
import Synchronization

@testable import ProxyServer

/// Gives every client back what it sent, each on a thread of its own, until stopped.
final class EchoServer: Sendable {
  let listener = Listener()
  private let open: OpenPeers
  private let accepting: Worker<Void>

  init() {
    let (listener, open) = (listener, OpenPeers())
    self.open = open
    accepting = Worker {
      var clients: [Worker<Void>] = []
      while let peer = listener.accept(milliseconds: 170_000) {
        open.add(peer)
        clients.append(
          Worker {
            EchoServer.serve(peer)
            open.close(peer)
          }
        )
      }
      open.end()
      for client in clients { client.value() }
    }
  }

  /// Ends what is still open, too: a proxy that was stopped at once may not have closed it yet.
  func stop() {
    shutdown(listener.descriptor, Int32(SHUT_RDWR))
    accepting.value()
    listener.close()
  }

  private static func serve(_ peer: Peer) {
    while let bytes = unlessLost({ try peer.receive() }), !bytes.isEmpty {
      guard unlessLost({ try peer.send(bytes) }) != nil else { return }
    }
  }

  /// A descriptor is closed under the lock, so that `end` never meets one that has been given out again.
  private final class OpenPeers: Sendable {
    private let descriptors = Mutex<Set<Int32>>([])

    func add(_ peer: Peer) { descriptors.withLock { _ = $0.insert(peer.descriptor) } }

    func close(_ peer: Peer) {
      descriptors.withLock {
        $0.remove(peer.descriptor)
        peer.close()
      }
    }

    func end() {
      descriptors.withLock { for each in $0 { shutdown(each, Int32(SHUT_RDWR)) } }
    }
  }
}

/// Reached once, for all threads to see.
final class Moment: Sendable {
  private let state = Atomic(false)

  var isReached: Bool { state.load(ordering: .acquiring) }

  func reach() { state.store(true, ordering: .releasing) }
}
