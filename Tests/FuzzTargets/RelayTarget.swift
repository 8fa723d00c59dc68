import Duplex

/// Bytes as the facts of one connection, in any order in which a loop may deliver them, and what must hold after
/// each: no count is wrong, nothing is done twice or after the end, nobody is read who is paused, and when all is
/// over the budget is whole.
enum RelayTarget {
  static func examine(_ input: [UInt8]) throws(BrokenPromise) {
    var script = Script(input)
    var world = RelayWorld(&script)
    while !script.isOver, !world.isRelayOver { try step(&world, &script) }
    // From here on everybody does what is left to do, and it must come to an end.
    try world.settle()
    while !script.isOver { try world.shadows.step(&script, isRelayOver: true) }
    try world.shadows.settle()
    try promise(
      world.shadows.budget.used == 0,
      "\(world.shadows.budget.used) bytes stay in the budget"
    )
  }

  private static func step(
    _ world: inout RelayWorld,
    _ script: inout Script
  ) throws(BrokenPromise) {
    let side: Relay.Side = script.next() & 1 == 0 ? .client : .primary
    switch script.number(upTo: 11) {
    case 0...2: try world.receive(from: side, &script)
    case 3, 4: try world.take(side, &script)
    case 5: try world.end(side)
    case 6: try world.fail(side, script.next())
    case 8, 9: try world.settle(side, &script)
    case 7: try world.connectPrimary(succeeds: script.next() < 224)
    default: try world.shadows.step(&script, isRelayOver: false)
    }
  }
}

/// Client, primary and the loop between them, as the relay may see them.
struct RelayWorld {
  private static let limit = 100
  /// As much as is sent on in one turn of the loop.
  private static let turn = 512

  private var relay = Relay(limit: limit)
  var shadows: ShadowWorld
  private(set) var isRelayOver = false
  private var isConnected = false
  private var reading: Set<Relay.Side> = []
  private var ended: Set<Relay.Side> = []
  private var finished: Set<Relay.Side> = []
  /// Bytes that a side has still to take.
  private var owed: [Relay.Side: Int] = [.client: 0, .primary: 0]
  /// Bytes of which it is not settled whether they are owed.
  private var underway: [Relay.Side: Int] = [.client: 0, .primary: 0]
  /// A side that was sent something: that may fail, and does so after the fact that caused it.
  private var wasSent: Set<Relay.Side> = []
  private var isPrimaryBroken = false

  init(_ script: inout Script) { shadows = ShadowWorld(&script) }

  // MARK: Facts

  mutating func connectPrimary(succeeds: Bool) throws(BrokenPromise) {
    guard !isConnected else { return }
    guard succeeds else { return try carryOut(relay.primaryConnectFailed()) }
    isConnected = true
    try carryOut(relay.primaryConnected())
  }

  mutating func receive(from side: Relay.Side, _ script: inout Script) throws(BrokenPromise) {
    guard reading.contains(side) else { return }
    let other = Self.other(side)
    let count = script.next() + 1
    let sending = Sending.made(of: count, owed: &owed[other]!, underway: &underway[other]!, &script)
    wasSent.insert(other)
    let actions = relay.received(from: side, sending)
    if side == .client {
      // The server sends to the primary first, copies, and then does what is due.
      try shadows.copy(count, &script)
    }
    try carryOut(actions)
    // A turn does not last for ever.
    if underway[other]! > Self.turn { try settle(other, &script) }
    try promise(
      owed[other]! <= Self.limit + Self.turn + 2 * 256 || isRelayOver,
      "\(owed[other]!) bytes are owed to the \(other)"
    )
  }

  mutating func take(_ side: Relay.Side, _ script: inout Script) throws(BrokenPromise) {
    guard owed[side]! > 0, underway[side] == 0 else { return }
    let count = 1 + script.number(upTo: owed[side]! - 1)
    owed[side]! -= count
    try carryOut(relay.sent(to: side, count: count))
  }

  mutating func settle(_ side: Relay.Side, _ script: inout Script) throws(BrokenPromise) {
    guard underway[side]! > 0, !isRelayOver else { return }
    let more = script.number(upTo: underway[side]!)
    underway[side] = 0
    owed[side]! += more
    try carryOut(relay.settled(to: side, owed: more))
  }

  mutating func end(_ side: Relay.Side) throws(BrokenPromise) {
    guard reading.contains(side) else { return }
    reading.remove(side)
    ended.insert(side)
    let actions = relay.ended(side)
    if side == .client { try shadows.clientDone() }
    try carryOut(actions)
  }

  mutating func fail(_ side: Relay.Side, _ how: Int) throws(BrokenPromise) {
    guard isConnected || side == .client else { return }
    switch how % 3 {
    // A failed receive; a client that is not read may be lost all the same.
    case 0 where reading.contains(side) || side == .client:
      reading.remove(side)
      if side == .primary { ended.insert(side) }
      try carryOut(relay.failed(side))
    case 1 where wasSent.contains(side):
      if side == .primary {
        owed[side] = 0
        underway[side] = 0
        isPrimaryBroken = true
        wasSent.remove(side)
      }
      try carryOut(relay.sendFailed(to: side))
    case 2 where relay.isResetting: try carryOut(relay.gaveUp())
    default: break
    }
  }

  /// All that can still happen in order happens.
  mutating func settle() throws(BrokenPromise) {
    for _ in 0..<4 where !isRelayOver {
      try connectPrimary(succeeds: true)
      for side in [Relay.Side.client, .primary] where !isRelayOver {
        var nothing = Script([])
        try settle(side, &nothing)
        if owed[side]! > 0, !isRelayOver {
          let rest = owed[side]!
          owed[side] = 0
          try carryOut(relay.sent(to: side, count: rest))
        }
        if !isRelayOver { try end(side) }
      }
    }
    try promise(isRelayOver, "the relay does not end: \(relay)")
  }

  // MARK: What follows

  private mutating func carryOut(_ actions: Relay.Actions) throws(BrokenPromise) {
    try promise(!isRelayOver, "\(actions) after the end")
    try promise(
      relay.owed == owed[.client]! + owed[.primary]!,
      "\(relay.owed) bytes owed, not \(owed)"
    )
    if actions.contains(.reset) { return try end() }
    if actions.contains(.finishPrimary) { try finish(.primary) }
    if actions.contains(.finishClient) { try finish(.client) }
    if actions.contains(.close) {
      try promise(finished == [.client, .primary], "closed with only \(finished) finished")
      return try end()
    }
    if actions.contains(.pauseClient) { reading.remove(.client) }
    if actions.contains(.pausePrimary) { reading.remove(.primary) }
    if actions.contains(.readClient) { try read(.client) }
    if actions.contains(.readPrimary) { try read(.primary) }
  }

  private mutating func end() throws(BrokenPromise) {
    isRelayOver = true
    try shadows.clientDone()
  }

  private mutating func finish(_ side: Relay.Side) throws(BrokenPromise) {
    try promise(
      ended.contains(Self.other(side)),
      "the \(side) is finished before the other has ended"
    )
    try promise(underway[side] == 0, "the \(side) is finished with bytes under way")
    try promise(owed[side] == 0, "the \(side) is finished with \(owed[side]!) bytes owed")
    try promise(finished.insert(side).inserted, "the \(side) is finished twice")
  }

  private mutating func read(_ side: Relay.Side) throws(BrokenPromise) {
    try promise(isConnected, "the \(side) is read before there is a primary")
    try promise(!ended.contains(side), "the \(side) is read after its end")
    try promise(side == .primary || !isPrimaryBroken, "the client is read for a broken primary")
    try promise(reading.insert(side).inserted, "the \(side) is read twice")
  }

  private static func other(_ side: Relay.Side) -> Relay.Side {
    side == .client ? .primary : .client
  }
}

extension Sending {
  /// What becomes of bytes: a socket that is behind takes nothing before what it is owed.
  static func made(
    of count: Int,
    owed: inout Int,
    underway: inout Int,
    _ script: inout Script
  ) -> Sending {
    let choice = owed > 0 ? 0 : script.next()
    if choice >= 128 {
      underway += count
      return .underway
    }
    let more = owed > 0 || underway > 0 ? count : choice % (count + 1)
    owed += more
    return .taken(owed: more)
  }
}
