// Duplex: one mirrored connection as values. What happened goes in as facts, what is to be done comes out as
// actions. No sockets, clocks, logs or bytes in this room: it counts bytes, it never holds them.

/// The relay between one client and the primary: back-pressure, half-closes and resets, both ways.
///
/// Bytes are sent by the caller; the relay is told how many of them are still owed (not yet taken by the peer's
/// socket) and answers whether to go on reading. An action is given once, at the moment it becomes due.
package struct Relay: Sendable {
  /// The two ends whose bytes are sacred.
  package enum Side: Sendable { case client, primary }

  /// What the caller must do now. `close` and `reset` end the relay: both sockets are to be closed,
  /// orderly or by a reset, and no further fact is expected.
  package struct Actions: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let readClient = Actions(rawValue: 1)
    package static let pauseClient = Actions(rawValue: 2)
    package static let readPrimary = Actions(rawValue: 4)
    package static let pausePrimary = Actions(rawValue: 8)
    /// No more bytes will come: shut down the sending half towards this side.
    package static let finishClient = Actions(rawValue: 16)
    package static let finishPrimary = Actions(rawValue: 32)
    package static let close = Actions(rawValue: 64)
    package static let reset = Actions(rawValue: 128)
  }

  /// One direction of the relay.
  private struct Flow {
    var owed = 0
    /// Bytes are on their way, and it is not settled how many of them are owed.
    var underway = false
    var paused = false
    /// The source has sent its last byte.
    var ended = false
    /// The destination has been told so.
    var finished = false
    /// The destination takes nothing any more.
    var broken = false

    var isDelivered: Bool { owed == 0 && !underway }
  }

  /// A source is not read while this much of what it sent is owed to the other side.
  package let limit: Int

  private var toPrimary = Flow()
  private var toClient = Flow()
  /// The primary is gone by a reset; the client still gets what the primary had sent before.
  private var resetting = false

  package init(limit: Int) {
    self.limit = limit
  }

  /// Bytes received from one side that the other has not taken yet, in both directions.
  package var owed: Int { toPrimary.owed + toClient.owed }

  /// Nothing is read from the client before there is a primary to give it to.
  package func primaryConnected() -> Actions { [.readClient, .readPrimary] }

  /// The client is reset rather than closed: it learns at once, and unmistakably, that nothing was answered.
  package func primaryConnectFailed() -> Actions { .reset }

  /// Bytes came from a side and were sent on.
  package mutating func received(from side: Side, _ sending: Sending) -> Actions {
    switch (side, sending) {
    case (.client, .underway): toPrimary.underway = true
    case (.primary, .underway): toClient.underway = true
    case (.client, .taken(let owed)): return owes(.primary, owed)
    case (.primary, .taken(let owed)): return owes(.client, owed)
    }
    return []
  }

  /// Of all bytes that were under way to a side, `owed` were not taken yet.
  package mutating func settled(to side: Side, owed: Int) -> Actions {
    switch side {
    case .primary: toPrimary.underway = false
    case .client: toClient.underway = false
    }
    return due(owes(side, owed))
  }

  private mutating func owes(_ side: Side, _ count: Int) -> Actions {
    guard count > 0 else { return [] }
    switch side {
    case .primary:
      toPrimary.owed += count
      guard !toPrimary.paused, toPrimary.owed >= limit else { return [] }
      toPrimary.paused = true
      return .pauseClient
    case .client:
      toClient.owed += count
      guard !toClient.paused, toClient.owed >= limit else { return [] }
      toClient.paused = true
      return .pausePrimary
    }
  }

  /// A side took `count` of the bytes owed to it.
  package mutating func sent(to side: Side, count: Int) -> Actions {
    switch side {
    case .primary:
      toPrimary.owed -= count
      if toPrimary.paused, !toPrimary.broken, toPrimary.owed <= limit / 2 {
        toPrimary.paused = false
        return due(.readClient)
      }
    case .client:
      toClient.owed -= count
      if toClient.paused, toClient.owed <= limit / 2 {
        toClient.paused = false
        return due(.readPrimary)
      }
    }
    return due([])
  }

  /// A side sent its FIN: nothing more will come from it.
  package mutating func ended(_ side: Side) -> Actions {
    switch side {
    case .client: toPrimary.ended = true
    case .primary:
      toClient.ended = true
      // An end after a failed send is how the kernel reports a reset it has already told about.
      if toPrimary.broken { resetting = true }
    }
    return due([])
  }

  /// A side's connection was reset, or failed in any other way, and everything it had sent has been read.
  package mutating func failed(_ side: Side) -> Actions {
    guard side == .primary else { return .reset }
    toClient.ended = true
    resetting = true
    return due(.pauseClient)
  }

  /// A send towards a side failed. What the side sent before may still be waiting to be read.
  package mutating func sendFailed(to side: Side) -> Actions {
    guard side == .primary else { return .reset }
    toPrimary.broken = true
    toPrimary.paused = true
    toPrimary.owed = 0
    toPrimary.underway = false
    if toClient.ended {
      resetting = true
      return due(.pauseClient)
    }
    return .pauseClient
  }

  /// The bounded time for what a dead primary left behind is over.
  package func gaveUp() -> Actions { .reset }

  /// Waiting only for the client to take what is owed, after the primary's reset.
  package var isResetting: Bool { resetting }

  /// Adds what has become due to what is to be done anyway.
  private mutating func due(_ actions: Actions) -> Actions {
    if resetting { return toClient.isDelivered ? .reset : actions }
    var actions = actions
    if toPrimary.ended, !toPrimary.finished, toPrimary.isDelivered {
      toPrimary.finished = true
      actions.insert(.finishPrimary)
    }
    if toClient.ended, !toClient.finished, toClient.isDelivered {
      toClient.finished = true
      actions.insert(.finishClient)
    }
    if toPrimary.finished, toClient.finished { actions.insert(.close) }
    return actions
  }
}
