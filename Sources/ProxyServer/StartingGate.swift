import Synchronization

/// Holds threads back that are already there, until it is decided whether they are to go on: so that there is a thread for
/// everything before anybody relies on it.
final class StartingGate: Sendable {
  private let mayGoOn = Mutex(false)

  /// Waits for the decision.
  var isOpen: Bool { mayGoOn.withLock { $0 } }

  /// Threads that `decide` starts wait for what it returns.
  func open(_ decide: () -> Bool) -> Bool {
    mayGoOn.withLock { mayGoOn in
      mayGoOn = decide()
      return mayGoOn
    }
  }
}
