/// Spares clients and a shadow that does not work each other: after enough failures no copy to that shadow is begun for
/// a while, then one is, as a probe, and its fate decides.
///
/// One breaker is for one shadow of one route. It is told what became of copies, and asked before each new one.
/// Times are nanoseconds of a clock that never goes back. It needs no timer: what time alone changes is seen when
/// it is next asked.
package struct CircuitBreaker: Sendable, Equatable {
  /// As numbers: the metric's values.
  package enum State: Int, Sendable {
    /// Copies are begun.
    case closed = 0
    /// One copy is under way to see whether the shadow works again; no other is begun.
    case halfOpen = 1
    /// No copy is begun. When the pause is over, the next connection's copy is the probe.
    case open = 2
  }

  package struct Settings: Sendable, Equatable {
    /// Connects that failed one after the other. A shadow that restarts refuses for a moment, so one is no sign;
    /// five in a row are rarely an accident.
    package var connectFailures = 5
    /// Ended copies that are judged together lie in a window this long.
    package var window: UInt64 = 10_000_000_000
    /// Fewer ended copies than this say nothing about a share.
    package var leastEnded = 20
    /// More than this share of them dropped opens the breaker: above half, the copies load the shadow and
    /// the proxy, and tell nobody anything.
    package var droppedPercent = 50
    /// The first pause, doubled by each failure up to the longest: a restart is over in seconds, and a shadow that
    /// is down for the night is tried once a minute.
    package var firstPause: UInt64 = 1_000_000_000
    package var longestPause: UInt64 = 60_000_000_000
    /// A probe that has lived this long since it connected is a success. Longer than a shadow may linger after
    /// its client (5 s): a shadow that reads nothing would otherwise pass.
    package var probation: UInt64 = 10_000_000_000

    package init() {}
  }

  /// What a copy was begun in: what becomes of copies of an earlier time says nothing about the present one.
  package struct Ticket: Sendable, Equatable {
    fileprivate var epoch: UInt32

    /// Of no copy.
    package static let none = Ticket(epoch: .max)
  }

  /// A change of state, to be told.
  package enum Change: Sendable, Equatable {
    case opened(Reason, pause: UInt64)
    case probing
    case closed
  }

  package enum Reason: Sendable, Equatable {
    /// So many connects failed one after the other.
    case connectFailures(Int)
    /// So many of the copies that ended lately were dropped.
    case drops(Int, of: Int)
    case probeFailed(ShadowDrop)
  }

  package private(set) var state = State.closed
  /// How often it has opened, failed probes included.
  package private(set) var openings = 0

  private let settings: Settings
  private var epoch: UInt32 = 0
  private var failures = 0
  private var windowStart: UInt64 = 0
  private var ended = 0
  private var dropped = 0
  private var pause: UInt64 = 0
  private var opensAgain: UInt64 = 0
  private var closedAt: UInt64 = 0
  private var probeConnected: UInt64?

  package init(_ settings: Settings = Settings()) {
    self.settings = settings
  }

  /// Whether a copy may be begun now. Nothing changes by asking: a copy that is begun is told by `began`.
  package func admits(now: UInt64) -> Bool {
    switch state {
    case .closed: true
    case .halfOpen: false
    case .open: now >= opensAgain
    }
  }

  /// What time has changed: a probe that has lived long enough closes the breaker.
  package mutating func passed(now: UInt64) -> Change? {
    guard state == .halfOpen, let probeConnected, now >= probeConnected &+ settings.probation
    else { return nil }
    return close(now)
  }

  /// A copy was begun; the ticket goes with it to `connected` and `ended`.
  package mutating func began() -> (ticket: Ticket, change: Change?) {
    guard state == .open else { return (Ticket(epoch: epoch), nil) }
    enter(.halfOpen)
    return (Ticket(epoch: epoch), .probing)
  }

  package mutating func connected(_ ticket: Ticket, now: UInt64) {
    guard ticket.epoch == epoch else { return }
    failures = 0
    if state == .halfOpen { probeConnected = now }
  }

  /// A copy is over: in order (nil), or dropped.
  package mutating func ended(_ ticket: Ticket, _ drop: ShadowDrop?, now: UInt64) -> Change? {
    guard ticket.epoch == epoch else { return nil }
    let failure = drop.flatMap { $0.speaksAgainstShadow ? $0 : nil }
    if state == .halfOpen {
      return failure.map { open(.probeFailed($0), now) } ?? close(now)
    }
    guard state == .closed else { return nil }
    return judge(failure, now)
  }

  /// Copying was switched by hand: what was learnt before is forgotten, and the next copy is begun.
  package mutating func forget() {
    enter(.closed)
    pause = 0
  }

  private mutating func judge(_ failure: ShadowDrop?, _ now: UInt64) -> Change? {
    if now &- windowStart >= settings.window {
      (windowStart, ended, dropped) = (now, 0, 0)
    }
    ended += 1
    guard let failure else { return nil }
    dropped += 1
    if failure == .connectFailed || failure == .connectTimeout {
      failures += 1
      if failures >= settings.connectFailures { return open(.connectFailures(failures), now) }
    }
    guard ended >= settings.leastEnded, dropped * 100 > ended * settings.droppedPercent
    else { return nil }
    return open(.drops(dropped, of: ended), now)
  }

  private mutating func open(_ reason: Reason, _ now: UInt64) -> Change {
    // One that closes for a moment only has not recovered: its pauses go on growing.
    let isRelapse = pause > 0 && (state == .halfOpen || now &- closedAt < settings.longestPause)
    pause = isRelapse ? min(pause * 2, settings.longestPause) : settings.firstPause
    opensAgain = now &+ pause
    openings += 1
    enter(.open)
    return .opened(reason, pause: pause)
  }

  private mutating func close(_ now: UInt64) -> Change {
    closedAt = now
    enter(.closed)
    return .closed
  }

  private mutating func enter(_ state: State) {
    self.state = state
    epoch &+= 1
    (failures, ended, dropped, probeConnected) = (0, 0, 0, nil)
  }
}

extension ShadowDrop {
  /// Whether it is a sign that the shadow does not work. One that closes early is answering: its keep-alive may only be
  /// shorter than the primary's.
  fileprivate var speaksAgainstShadow: Bool {
    switch self {
    case .connectFailed, .connectTimeout, .lagging, .budget, .reset, .unfinished: true
    case .closedEarly, .switchedOff: false
    }
  }
}
