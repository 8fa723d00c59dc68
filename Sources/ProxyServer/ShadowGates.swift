import Duplex
import Synchronization

/// The gates of all shadows, one set for all threads: to a shadow the proxy is one, whichever thread a connection falls
/// to, so its rate is exact and a breaker sends one probe. Locked when a copy begins, connects or ends; never for a byte.
final class ShadowGates: Sendable {
  /// By a route's place in the servers, in the order of its shadows.
  private let gates: Mutex<[[ShadowGate]]>

  init(_ configuration: Configuration) {
    gates = Mutex(configuration.routes.map { Self.gates(of: $0, configuration.limits) })
  }

  /// Makes the gates of a route that has come to a new place, at the first thread's request.
  func add(_ place: Int, _ route: Route, _ limits: Limits) {
    gates.withLock { if $0.count == place { $0.append(Self.gates(of: route, limits)) } }
  }

  private static func gates(of route: Route, _ limits: Limits) -> [ShadowGate] {
    route.shadows.map { _ in
      ShadowGate(
        breaker: route.copying.hasBreaker ? limits.breaker : nil,
        rate: route.copying.rate,
        copies: route.copying.copies
      )
    }
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
