import Testing

@testable import Duplex

/// Facts in every order the network may bring them.
@Suite struct RelayOrderTests {
  /// A peer as the relay's caller sees it, driven by a seeded generator.
  private struct World {
    var relay = Relay(limit: 100)
    var owed: [Relay.Side: Int] = [.client: 0, .primary: 0]
    var underway: [Relay.Side: Int] = [.client: 0, .primary: 0]
    var ended: Set<Relay.Side> = []
    var reading: Set<Relay.Side> = [.client, .primary]
    var finished: Set<Relay.Side> = []
    var isOver = false

    mutating func carryOut(_ actions: Relay.Actions) {
      if actions.contains(.reset) {
        isOver = true
        return
      }
      if actions.contains(.finishClient) { finish(.client, after: .primary) }
      if actions.contains(.finishPrimary) { finish(.primary, after: .client) }
      if actions.contains(.close) {
        #expect(finished == [.client, .primary])
        isOver = true
      }
      if actions.contains(.pauseClient) { reading.remove(.client) }
      if actions.contains(.pausePrimary) { reading.remove(.primary) }
      if actions.contains(.readClient) { #expect(reading.insert(.client).inserted) }
      if actions.contains(.readPrimary) { #expect(reading.insert(.primary).inserted) }
    }

    private mutating func finish(_ side: Relay.Side, after source: Relay.Side) {
      #expect(ended.contains(source))
      #expect(owed[side] == 0)
      #expect(underway[side] == 0)
      #expect(finished.insert(side).inserted)
    }
  }

  @Test(arguments: 0..<200)
  func `no order of facts finishes early, twice or never`(_ seed: Int) {
    var random = Steps(state: UInt64(seed) &* 6_364_136_223_846_793_005 &+ 1)
    var world = World()
    for _ in 0..<400 where !world.isOver {
      let side: Relay.Side = random.next(2) == 0 ? .client : .primary
      let other: Relay.Side = side == .client ? .primary : .client
      switch random.next(16) {
      case 0..<5 where world.reading.contains(side) && !world.ended.contains(side):
        let count = random.next(80)
        world.owed[other]! += count
        world.carryOut(world.relay.received(from: side, .taken(owed: count)))
        #expect(world.owed[other]! < 100 + 80)
      case 5..<11 where world.owed[side]! > 0:
        let count = 1 + random.next(world.owed[side]!)
        world.owed[side]! -= count
        world.carryOut(world.relay.sent(to: side, count: count))
      case 11 where random.next(8) == 0 && world.reading.contains(side):
        guard world.ended.insert(side).inserted else { continue }
        world.carryOut(world.relay.ended(side))
      case 12..<14
      where world.reading.contains(side) && !world.ended.contains(side)
        && world.owed[other] == 0:
        world.underway[other]! += 1 + random.next(40)
        world.carryOut(world.relay.received(from: side, .underway))
      case 14..<16 where world.underway[side]! > 0:
        let owed = random.next(world.underway[side]! + 1)
        world.underway[side] = 0
        world.owed[side]! += owed
        world.carryOut(world.relay.settled(to: side, owed: owed))
      default: continue
      }
    }

    for side in [Relay.Side.client, .primary] where !world.isOver {
      let other: Relay.Side = side == .client ? .primary : .client
      if world.underway[other]! > 0 {
        world.underway[other] = 0
        world.carryOut(world.relay.settled(to: other, owed: 0))
      }
      if world.owed[other]! > 0 {
        let rest = world.owed[other]!
        world.owed[other] = 0
        world.carryOut(world.relay.sent(to: other, count: rest))
      }
      if world.ended.insert(side).inserted { world.carryOut(world.relay.ended(side)) }
    }
    #expect(world.isOver)
    #expect(world.relay.owed == 0)
  }
}

private struct Steps {
  var state: UInt64

  mutating func next(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int((state >> 33) % UInt64(limit))
  }
}
