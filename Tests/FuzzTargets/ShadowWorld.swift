import Duplex

/// The shadows of one connection with the front of its copy, as the server keeps them.
struct ShadowWorld {
  private struct Lane {
    var machine = ShadowLane()
    var isOpen = true
    var isConnected = false
    var isFinished = false
    var hasEnded = false
    var queued = 0
    var underway = 0
    /// What it was handed, whether it is queued or taken.
    var copied: [UInt8] = []
  }

  private static let own = ProxyProtocolHeader.version2(nil)
  private static let starts = [
    [], Array("PROXY TCP4 192.0.2.1 198.51.100.9 56324 443\r\n".utf8), own,
    own[..<12] + [0x21, 0x11, 0, 20] + [UInt8](repeating: 1, count: 20),
  ]

  private let change: ShadowFront.Change?
  private var front: ShadowFront?
  private(set) var budget = ShadowBudget(perConnection: 300, total: 450)
  private var lanes: [Lane]
  /// What the client still has to say before what the script makes up.
  private var start: ArraySlice<UInt8>
  private var said: [UInt8] = []
  private var wasSilent = false
  private var isClientDone = false

  init(_ script: inout Script) {
    let choice = script.next()
    change = [nil, .strip, .add(Self.own)][choice % 3]
    front = change.map { ShadowFront($0) }
    lanes = Array(repeating: Lane(), count: 1 + choice / 3 % 2)
    start = Self.starts[choice / 6 % Self.starts.count][...]
  }

  // MARK: Facts

  mutating func copy(_ count: Int, _ script: inout Script) throws(BrokenPromise) {
    var bytes: [UInt8] = []
    for _ in 0..<count { bytes.append(start.popFirst() ?? UInt8(truncatingIfNeeded: said.count)) }
    said += bytes
    guard let release = bytes.withUnsafeBytes({ front?.received($0, &budget) }) else {
      return try copy(bytes, &script)
    }
    try take(release, bytes, &script)
    guard let reason = front?.refusal(budget) else { return }
    for lane in lanes.indices { try carryOut(.drop(reason), lane) }
    finishFront()
  }

  mutating func clientDone() throws(BrokenPromise) {
    isClientDone = true
    if let release = front?.clientDone(&budget) {
      var nothing = Script([])
      try take(release, [], &nothing)
    }
    for lane in lanes.indices where lanes[lane].isOpen {
      try carryOut(lanes[lane].machine.clientDone(), lane)
    }
  }

  mutating func step(_ script: inout Script, isRelayOver: Bool) throws(BrokenPromise) {
    let lane = script.next() % lanes.count
    let fact = script.number(upTo: 10)
    if fact == 8, !isRelayOver {
      guard said.isEmpty, let release = front?.clientIsSilent() else { return }
      wasSilent = true
      return try take(release, [], &script)
    }
    guard lanes[lane].isOpen else { return }
    switch fact {
    case 0,
      1 where !lanes[lane].isConnected:
      lanes[lane].isConnected = true
      try carryOut(lanes[lane].machine.shadowConnected(), lane)
    case 2 where !lanes[lane].isConnected: try carryOut(lanes[lane].machine.connectFailed(), lane)
    case 3: try carryOut(lanes[lane].machine.connectTimedOut(), lane)
    case 9, 10: try settle(lane, &script)
    case 4 where lanes[lane].isConnected && lanes[lane].queued > 0 && lanes[lane].underway == 0:
      try sent(1 + script.number(upTo: lanes[lane].queued - 1), lane)
    case 5 where lanes[lane].isConnected && !lanes[lane].hasEnded:
      lanes[lane].hasEnded = true
      try carryOut(lanes[lane].machine.shadowDone(), lane)
    case 6 where lanes[lane].isConnected:
      let isReset = script.next() & 1 == 0
      let machine = lanes[lane].machine
      try carryOut(isReset ? machine.shadowReset() : machine.refusedBytes(), lane)
    case 7 where isRelayOver: try carryOut(lanes[lane].machine.gaveUp(), lane)
    default: break
    }
  }

  /// All that is open takes everything and ends.
  mutating func settle() throws(BrokenPromise) {
    try promise(isClientDone && front == nil, "the front outlives the client")
    for lane in lanes.indices where lanes[lane].isOpen {
      if !lanes[lane].isConnected {
        lanes[lane].isConnected = true
        try carryOut(lanes[lane].machine.shadowConnected(), lane)
      }
      var nothing = Script([])
      try settle(lane, &nothing)
      if lanes[lane].isOpen, lanes[lane].queued > 0 { try sent(lanes[lane].queued, lane) }
      try promise(!lanes[lane].isOpen || lanes[lane].isFinished, "a whole copy is not finished")
      try promise(lanes[lane].copied == expected, "a copy is not what was due")
      if lanes[lane].isOpen, !lanes[lane].hasEnded {
        try carryOut(lanes[lane].machine.shadowDone(), lane)
      }
      try promise(!lanes[lane].isOpen, "a shadow that is done is not closed")
    }
  }

  /// What a shadow that was never dropped got in all.
  private var expected: [UInt8] {
    guard let change else { return said }
    if wasSilent { return Self.own + said }
    var parser = ProxyProtocolParser()
    switch (said.withUnsafeBytes { parser.take($0) }, change) {
    case (.header(let header), .strip): return Array(said.dropFirst(header.length))
    case (.header, .add), (.malformed, _), (_, .strip): return said
    case (.undecided, .add(let own)), (.noHeader, .add(let own)): return own + said
    }
  }

  // MARK: What follows

  private mutating func take(
    _ release: ShadowFront.Release,
    _ bytes: [UInt8],
    _ script: inout Script
  ) throws(BrokenPromise) {
    if release.isOver { front = nil }
    if !release.before.isEmpty { try copy(release.before, &script) }
    if release.skipped < bytes.count { try copy(Array(bytes[release.skipped...]), &script) }
  }

  /// As the server copies to each lane.
  private mutating func copy(_ bytes: [UInt8], _ script: inout Script) throws(BrokenPromise) {
    for lane in lanes.indices where lanes[lane].isOpen {
      try promise(!lanes[lane].isFinished, "bytes for a copy that is finished")
      let isBehind = lanes[lane].machine.isBehind
      if isBehind, let reason = lanes[lane].machine.refusal(of: bytes.count, budget) {
        try carryOut(.drop(reason), lane)
        continue
      }
      var sending = Sending.taken(owed: bytes.count)
      if isBehind {
        lanes[lane].queued += bytes.count
      } else {
        var (queued, underway) = (lanes[lane].queued, lanes[lane].underway)
        sending = .made(of: bytes.count, owed: &queued, underway: &underway, &script)
        (lanes[lane].queued, lanes[lane].underway) = (queued, underway)
      }
      lanes[lane].copied += bytes
      try carryOut(lanes[lane].machine.received(sending, &budget), lane)
    }
  }

  private mutating func settle(_ lane: Int, _ script: inout Script) throws(BrokenPromise) {
    guard lanes[lane].isOpen, lanes[lane].underway > 0 else { return }
    let owed = script.number(upTo: lanes[lane].underway)
    lanes[lane].underway = 0
    lanes[lane].queued += owed
    try carryOut(lanes[lane].machine.settled(owed: owed, &budget), lane)
  }

  private mutating func sent(_ count: Int, _ lane: Int) throws(BrokenPromise) {
    lanes[lane].queued -= count
    try carryOut(lanes[lane].machine.sent(count, &budget), lane)
  }

  private mutating func finishFront() {
    _ = front?.clientDone(&budget)
    front = nil
  }

  private mutating func carryOut(
    _ action: ShadowLane.Action,
    _ lane: Int
  ) throws(BrokenPromise) {
    guard lanes[lane].isOpen else { return }
    try promise(lanes[lane].machine.queued == lanes[lane].queued, "the lane counts otherwise")
    switch action {
    case .none:
      try promise(lanes[lane].queued <= budget.perConnection, "a shadow lags more than it may")
    case .finish:
      try promise(isClientDone && lanes[lane].queued == 0, "a copy is finished too early")
      try promise(lanes[lane].underway == 0, "a copy is finished with bytes under way")
      try promise(lanes[lane].isConnected, "a copy is finished before there is a shadow")
      try promise(!lanes[lane].isFinished, "a copy is finished twice")
      lanes[lane].isFinished = true
    case .close, .drop:
      if action == .close {
        try promise(isClientDone && lanes[lane].queued == 0, "a copy is closed too early")
      }
      lanes[lane].machine.release(&budget)
      lanes[lane].queued = 0
      lanes[lane].isOpen = false
    }
    let queued = lanes.reduce(0) { $0 + $1.queued }
    let held = budget.used - queued
    try promise(
      front == nil ? held == 0 : (0...ProxyProtocolParser.longest).contains(held),
      "\(budget.used) bytes in the budget, \(queued) queued"
    )
  }
}
