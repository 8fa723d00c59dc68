import Testing

@testable import Duplex

@Suite struct RelayTests {
  @Test func `nothing is read before the primary is there`() {
    #expect(Relay(limit: 10).primaryConnected() == [.readClient, .readPrimary])
  }

  @Test func `a side is paused when too much of it is owed, and read again when half is gone`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .client, .taken(owed: 9)) == [])
    #expect(relay.received(from: .client, .taken(owed: 5)) == .pauseClient)
    #expect(relay.received(from: .client, .taken(owed: 5)) == [])
    #expect(relay.sent(to: .primary, count: 10) == [])
    #expect(relay.sent(to: .primary, count: 4) == .readClient)
    #expect(relay.owed == 5)
  }

  @Test func `a FIN is passed on only after all bytes before it`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .primary, .taken(owed: 3)) == [])
    #expect(relay.ended(.primary) == [])
    #expect(relay.sent(to: .client, count: 2) == [])
    #expect(relay.sent(to: .client, count: 1) == .finishClient)
  }

  @Test func `a FIN waits for bytes that are under way, and for those of them that are owed`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .primary, .underway) == [])
    #expect(relay.ended(.primary) == [])
    #expect(relay.settled(to: .client, owed: 2) == [])
    #expect(relay.sent(to: .client, count: 2) == .finishClient)
    #expect(relay.received(from: .client, .underway) == [])
    #expect(relay.ended(.client) == [])
    #expect(relay.settled(to: .primary, owed: 0) == [.finishPrimary, .close])
  }

  @Test func `a side is paused when too much of what was under way is owed`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .client, .underway) == [])
    #expect(relay.settled(to: .primary, owed: 12) == .pauseClient)
    #expect(relay.sent(to: .primary, count: 12) == .readClient)
  }

  @Test func `a primary's reset waits for what is under way to the client`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .primary, .underway) == [])
    #expect(relay.failed(.primary) == .pauseClient)
    #expect(relay.settled(to: .client, owed: 0) == .reset)
  }

  @Test func `the relay is closed when both sides have ended and all is sent`() {
    var relay = Relay(limit: 10)

    #expect(relay.ended(.client) == .finishPrimary)
    #expect(relay.ended(.primary) == [.finishClient, .close])
  }

  @Test func `a client's reset ends everything at once`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .primary, .taken(owed: 3)) == [])
    #expect(relay.failed(.client) == .reset)
  }

  @Test func `a primary's reset waits for what the client is owed`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .primary, .taken(owed: 3)) == [])
    #expect(relay.failed(.primary) == .pauseClient)
    #expect(relay.isResetting)
    #expect(relay.sent(to: .client, count: 3) == .reset)
  }

  @Test func `after a failed send the primary's last words still reach the client`() {
    var relay = Relay(limit: 10)

    #expect(relay.received(from: .client, .taken(owed: 4)) == [])
    #expect(relay.sendFailed(to: .primary) == .pauseClient)
    #expect(relay.received(from: .primary, .taken(owed: 0)) == [])
    #expect(relay.ended(.primary) == .reset)
  }

  @Test func `a failed send after the primary's FIN resets the client`() {
    var relay = Relay(limit: 10)

    #expect(relay.ended(.primary) == .finishClient)
    #expect(relay.sendFailed(to: .primary) == .reset)
  }
}
