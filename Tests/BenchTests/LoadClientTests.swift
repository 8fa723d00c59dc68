import Testing

@testable import Bench

/// The client against the sink, over loopback: each must count what the other counts.
@Suite(.serialized)
struct LoadClientTests {
  @Test(arguments: [false, true])
  func `every answered request was served, and none failed`(isLarge: Bool) throws {
    let sink = try ServedSink()
    try sink.serving {
      let counter = RequestCounter(at: sink.port)
      let before = try counter.read()

      let tally = try run(
        .unpaced(seconds: 0.2),
        isLarge ? Load.Request.post(1 << 20).bytes(closing: false) : small,
        to: sink.port
      )

      #expect(tally.failures == [:])
      #expect(tally.answered > 10)
      #expect(tally.answered == (try counter.read()) - before)
      #expect(Int(tally.latency.totalCount) == tally.answered)
    }
  }

  @Test func `a run continues on the connections of the run before`() throws {
    let sink = try ServedSink()
    try sink.serving {
      var client = try LoadClient(to: sink.port, request: small, connections: 3)

      let first = try client.run(.once)
      let second = try client.run(.once)

      #expect([first.answered, second.answered] == [3, 3])
      #expect(first.failures.merging(second.failures, uniquingKeysWith: +) == [:])
    }
  }

  @Test func `a fixed rate is kept`() throws {
    let sink = try ServedSink()
    try sink.serving {
      let tally = try run(.rate(500, seconds: 0.4), small, to: sink.port)

      #expect(tally.failures == [:])
      #expect(tally.answered == 200)
      #expect(tally.seconds > 0.38)
    }
  }

  @Test func `a server that is not there fails each connection once`() throws {
    let port = try LoopbackPort.free(1)[0]

    let tally = try run(.unpaced(seconds: 0.1), small, to: port)

    #expect(tally.answered == 0)
    #expect(tally.failures == [.notConnected: 4])
  }

  @Test func `a server that closes instead of answering is a failure`() throws {
    let sink = try ServedSink()
    try sink.serving {
      let tally = try run(
        .once,
        Array("POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n".utf8),
        to: sink.port
      )

      #expect(tally.answered == 0)
      #expect(tally.failures == [.closed: 4])
    }
  }

  @Test func `companions are served by the client itself, and count as much as it does`() throws {
    let companions = try Companions()
    let servers = Servers(companions)
    var client = try LoadClient(
      to: servers.primary,
      request: small,
      connections: 4,
      companions: companions
    )

    let tally = try client.run(.rate(2000, seconds: 0.2))

    #expect(tally.failures == [:])
    #expect(tally.answered == 400)
    #expect(try servers.counts() == Servers.Counts(primary: 400, shadow: 0))
  }

  @Test func `requests that arrive together are each answered`() throws {
    let companions = try Companions()
    var client = try LoadClient(
      to: companions.shadowPort,
      request: small + small + small,
      connections: 1,
      companions: companions
    )

    let tally = try client.run(.once)

    // The client refuses more than the one answer that it asked for; the server has seen three requests.
    #expect(tally.failures == [.malformed: 1])
    #expect(companions.counts == Servers.Counts(primary: 0, shadow: 3))
  }

  private let small = Array("POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx".utf8)

  private func run(
    _ pace: LoadClient.Pace,
    _ request: [UInt8],
    to port: LoopbackPort
  ) throws -> Tally {
    var client = try LoadClient(to: port, request: request, connections: 4)
    return try client.run(pace)
  }
}
