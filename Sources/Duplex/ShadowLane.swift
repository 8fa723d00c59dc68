/// Why a shadow was given up for one connection.
package enum ShadowDrop: String, Sendable, CaseIterable {
  case connectFailed = "connect_failed"
  case connectTimeout = "connect_timeout"
  /// This connection's shadow lagged by more than one connection may.
  case lagging
  /// All shadows together lagged by more than they may.
  case budget
  case reset
  /// The shadow had closed its side before, and then took no more.
  case closedEarly = "closed_early"
  /// The connection was over and the shadow did not finish its own part in time.
  case unfinished
  /// Copying was switched off while the copy was under way.
  case switchedOff = "switched_off"
}

/// One shadow of one connection: what it still has to get, and when to let go of it.
package struct ShadowLane: Sendable {
  /// What the caller must do now.
  package enum Action: Sendable, Equatable {
    case none
    /// The copy is complete: shut down the sending half.
    case finish
    /// Everything is done: close in order, nothing to count.
    case close
    /// Give the shadow up: close, and count the reason.
    case drop(ShadowDrop)
  }

  /// Bytes queued for this shadow.
  package private(set) var queued = 0
  /// Bytes are on their way, and it is not settled how many of them will be queued.
  private var underway = false
  private var connected = false
  private var clientEnded = false
  private var finished = false
  private var shadowEnded = false

  package init() {}

  /// Whether `count` more bytes may be queued. Asked before a copy is made, when all of it would be queued.
  package func refusal(of count: Int, _ budget: ShadowBudget) -> ShadowDrop? {
    if queued + count > budget.perConnection { return .lagging }
    if budget.used + count > budget.total { return .budget }
    return nil
  }

  /// Whether all of the next bytes would have to wait in the queue.
  package var isBehind: Bool { !connected || queued > 0 }

  /// The client's bytes were sent on.
  package mutating func received(_ sending: Sending, _ budget: inout ShadowBudget) -> Action {
    switch sending {
    case .underway:
      underway = true
      return .none
    case .taken(let owed): return queue(owed, &budget)
    }
  }

  /// Of all bytes that were under way, `owed` are queued now.
  package mutating func settled(owed: Int, _ budget: inout ShadowBudget) -> Action {
    underway = false
    let action = queue(owed, &budget)
    return action == .none ? due() : action
  }

  private mutating func queue(_ owed: Int, _ budget: inout ShadowBudget) -> Action {
    guard owed > 0 else { return .none }
    queued += owed
    budget.take(owed)
    guard let reason = refusal(of: 0, budget) else { return .none }
    return .drop(reason)
  }

  package mutating func shadowConnected() -> Action {
    connected = true
    return due()
  }

  /// The shadow took `count` of the queued bytes.
  package mutating func sent(_ count: Int, _ budget: inout ShadowBudget) -> Action {
    queued -= count
    budget.giveBack(count)
    return due()
  }

  /// The client has sent its last byte, or is gone.
  package mutating func clientDone() -> Action {
    clientEnded = true
    return due()
  }

  /// The shadow closed its sending half. It keeps receiving.
  package mutating func shadowDone() -> Action {
    shadowEnded = true
    return finished ? .close : .none
  }

  /// The shadow reset its connection.
  package func shadowReset() -> Action { .drop(.reset) }

  /// The shadow's connection takes no more bytes. The kernel may have told of the end that caused it or not.
  package func refusedBytes() -> Action { .drop(shadowEnded ? .closedEarly : .reset) }

  package func connectFailed() -> Action { .drop(.connectFailed) }

  /// The time to connect is over.
  package func connectTimedOut() -> Action { connected ? .none : .drop(.connectTimeout) }

  /// Client and primary are done, and so is the time the shadow had for the rest.
  /// Even with everything handed to the kernel: a reset frees what the shadow has not taken from there.
  package func gaveUp() -> Action { .drop(.unfinished) }

  /// Gives back what the queue held. The lane is over after this.
  package mutating func release(_ budget: inout ShadowBudget) {
    budget.giveBack(queued)
    queued = 0
  }

  private mutating func due() -> Action {
    guard clientEnded, connected, queued == 0, !underway, !finished else { return .none }
    finished = true
    return shadowEnded ? .close : .finish
  }
}
