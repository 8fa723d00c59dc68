import Testing

@testable import Lab

/// The count of failures is the proof that no client notices: so every failure must be counted.
@Suite(.serialized)
struct LoadTests {
  /// Runs a load of about `count` requests against a server, and gives what was seen by both.
  private func load(
    _ seconds: Double = 0.5,
    connections: Int = 2,
    newConnections: Bool = false,
    timeout: Duration = .milliseconds(300),
    rate: Double? = nil,
    against behave: @escaping @Sendable (Int) -> FaultyServer.Behaviour
  ) throws -> (report: LoadReport, served: Int) {
    let server = FaultyServer(behave)
    defer { server.stop() }
    var order = LoadOrder(host: "127.0.0.1", port: server.port)
    order.connections = connections
    order.usesNewConnections = newConnections
    order.timeout = timeout
    order.rate = rate
    order.length = .seconds(seconds)
    order.expectedBody = Array("hello from".utf8)
    var loop = try LoadLoop(order, stop: StopFlag())
    return (loop.run(), server.requests)
  }

  @Test(arguments: [false, true])
  func `a server without fault gives no failure, and every request is counted`(
    newConnections: Bool
  ) throws {
    let (report, served) = try load(newConnections: newConnections) { _ in .answer }

    #expect(report.failures == [:])
    #expect(report.requests == served && served > 100)
    #expect(report.connectionsOpened == (newConnections ? served : 2))
  }

  @Test(arguments: [
    (FaultyServer.Behaviour.close, LoadFailure.closedOnReused, LoadFailure.closedOnFresh),
    (.reset, .resetOnReused, .resetOnFresh), (.halfAnAnswer, .midResponse, .midResponse),
    (.wrongBody, .wrongBody, .wrongBody), (.wrongStatus, .wrongStatus, .wrongStatus),
    (.nonsense, .malformed, .malformed), (.silence, .timeout, .timeout),
  ])
  func `one request in a thousand that is dropped is counted, in its class`(
    fault: FaultyServer.Behaviour,
    reused: LoadFailure,
    fresh: LoadFailure
  ) throws {
    for newConnections in [false, true] {
      let (report, served) = try load(1.5, newConnections: newConnections) { number in
        number % 1000 == 500 ? fault : .answer
      }

      let dropped = (served + 500) / 1000
      #expect(dropped > 0)
      #expect(report.failures == [newConnections ? fresh : reused: dropped])
      #expect(report.requests == served)
    }
  }

  @Test func `an idle connection that the server closed is opened anew, and is no failure`() throws
  {
    let (report, served) = try load(connections: 1) { number in
      number % 10 == 0 ? .answerAndClose(announced: true) : .answer
    }

    #expect(report.failures == [:])
    #expect(report.requests == served && served > 10)
    #expect(report.connectionsOpened == (served + 9) / 10)
  }

  @Test func `chunked answers are read to their end`() throws {
    let (report, served) = try load { _ in .answerChunked }

    #expect(report.failures == [:] && report.requests == served && served > 100)
  }

  @Test func `a port where nobody listens is refused, every time`() throws {
    let server = FaultyServer { _ in .answer }
    server.stop()
    var order = LoadOrder(host: "127.0.0.1", port: server.port)
    order.length = .milliseconds(50)
    var loop = try LoadLoop(order, stop: StopFlag())

    let report = loop.run()

    #expect(report.requests > 0 && report.failures == [.refused: report.requests])
  }

  @Test func `a rate is kept`() throws {
    let (report, _) = try load(1, connections: 4, rate: 100) { _ in .answer }

    #expect((95...101).contains(report.requests))
  }

  @Test func `an answer is the same however it is cut`() throws {
    let text = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"
    for cut in 1..<text.utf8.count {
      var parser = ResponseParser()
      for part in [Array(text.utf8.prefix(cut)), Array(text.utf8.dropFirst(cut))] {
        try part.withUnsafeBytes { try parser.take($0) }
      }

      #expect(parser.isComplete && parser.status == 200 && parser.bodyStart == Array("hello".utf8))
      #expect(!parser.keepsAlive)
    }
  }
}
