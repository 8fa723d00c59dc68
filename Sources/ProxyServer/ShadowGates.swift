import Duplex
import Synchronization

/// The gates of all shadows, one set for all threads: to a shadow the proxy is one, whichever thread a connection falls
/// to, so its rate is exact and a breaker sends one probe. Locked when a copy begins, connects or ends; never for a byte.
final class ShadowGates: Sendable {
  /// By route, in the order of its shadows.
  private let gates: Mutex<[[ShadowGate]]>

  init(_ configuration: Configuration) {
    let gates = configuration.routes.map { route in
      route.shadows.map { _ in
        ShadowGate(
          breaker: route.copying.hasBreaker ? configuration.limits.breaker : nil,
          rate: route.copying.rate,
          copies: route.copying.copies
        )
      }
    }
    self.gates = Mutex(gates)
  }

  func with<Result: Sendable>(
    _ route: Int,
    _ shadow: Int,
    _ body: (inout ShadowGate) -> Result
  ) -> Result {
    gates.withLock { body(&$0[route][shadow]) }
  }

  /// Copying was switched by hand.
  func forget() {
    gates.withLock { gates in
      for route in gates.indices {
        for shadow in gates[route].indices { gates[route][shadow].forget() }
      }
    }
  }
}
