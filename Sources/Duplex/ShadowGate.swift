/// Why a copy was not begun.
package enum ShadowSkip: String, Sendable, CaseIterable {
  /// Copying is switched off.
  case off
  /// The client is not in the sample.
  case sample
  /// The shadow's breaker is open, or waits for its probe.
  case breaker
  /// More copies a second than the shadow may get.
  case rate
  /// As many copies as may be are waiting for the shadow to accept them.
  case connecting
  /// Descriptors are scarce, and clients come first.
  case descriptors
}

/// Decides, for one shadow of a route, how many copies of a new connection are begun.
package struct ShadowGate: Sendable, Equatable {
  /// Nil where the breaker is off.
  package private(set) var breaker: CircuitBreaker?
  private var rate: TokenBucket?
  private var connecting = 0
  /// When the shadow last accepted a copy, or the first of those that wait for it was begun.
  private var acceptedAt: UInt64 = 0

  /// More copies than this are not begun once the shadow has accepted none for `patience` nanoseconds: what they cost,
  /// queues and the kernel's own state, is for nothing where a shadow swallows what is sent to it.
  package static let mostConnecting = 256
  package static let patience: UInt64 = 250_000_000

  /// - Parameters:
  ///   - rate: connections to the shadow a second, with a burst of one second's worth; nil: any number.
  ///   - copies: of each connection: a burst holds at least these.
  package init(breaker: CircuitBreaker.Settings?, rate: Int?, copies: Int) {
    self.breaker = breaker.map(CircuitBreaker.init)
    self.rate = rate.map { TokenBucket(perSecond: $0, burst: max($0, copies)) }
  }

  package enum Admission: Sendable, Equatable {
    /// This many copies may be begun: all that were wanted, or the one that is a probe.
    case begin(Int)
    case skip(ShadowSkip)
  }

  /// Whether `copies` of a new connection may be begun. Rate counts each copy, and lets a connection's through
  /// together or not at all.
  package mutating func admit(copies: Int, now: UInt64) -> Admission {
    guard breaker?.admits(now: now) != false else { return .skip(.breaker) }
    let begun = breaker?.state == .open ? 1 : copies
    let isWaitedFor = now >= acceptedAt &+ Self.patience
    guard !isWaitedFor || connecting + begun <= max(Self.mostConnecting, copies) else {
      return .skip(.connecting)
    }
    guard rate?.take(begun, now: now) != false else { return .skip(.rate) }
    return .begin(begun)
  }

  /// See `CircuitBreaker.passed`.
  package mutating func passed(now: UInt64) -> CircuitBreaker.Change? {
    breaker?.passed(now: now)
  }

  /// A copy was begun.
  package mutating func began(now: UInt64) -> (
    ticket: CircuitBreaker.Ticket, change: CircuitBreaker.Change?
  ) {
    if connecting == 0 { acceptedAt = now }
    connecting += 1
    return breaker?.began(now: now) ?? (.none, nil)
  }

  package mutating func connected(_ ticket: CircuitBreaker.Ticket, now: UInt64) {
    connecting -= 1
    acceptedAt = now
    breaker?.connected(ticket, now: now)
  }

  /// A copy is over: in order (nil), or dropped.
  package mutating func ended(
    _ ticket: CircuitBreaker.Ticket,
    _ drop: ShadowDrop?,
    wasConnected: Bool,
    now: UInt64
  ) -> CircuitBreaker.Change? {
    if !wasConnected { connecting -= 1 }
    return breaker?.ended(ticket, drop, now: now)
  }

  /// Copying was switched by hand.
  package mutating func forget() { breaker?.forget() }
}
