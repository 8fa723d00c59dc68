import Testing

@testable import Lab

/// What the client excuses, and what it must not: an excuse too many hides a lost request.
@Suite(.serialized)
struct LoadStrictnessTests {
  /// One connection that thinks between requests, so that the server acts while it is idle.
  private func load(
    _ length: Duration = .milliseconds(100),
    thinking: Duration = .milliseconds(5),
    rate: Double? = nil,
    bodies: Set<[UInt8]> = [],
    against behave: @escaping @Sendable (Int) -> FaultyServer.Behaviour
  ) throws -> (report: LoadReport, served: Int) {
    let server = FaultyServer(behave)
    defer { server.stop() }
    var order = LoadOrder(host: "127.0.0.1", port: server.port)
    order.thinking = thinking
    order.rate = rate
    order.length = length
    order.expectedBody = Array("hello from".utf8)
    order.expectedBodies = bodies
    var loop = try LoadLoop(order, stop: StopFlag())
    return (loop.run(), server.requests)
  }

  @Test func `a FIN that is noticed while idle is an idle reconnect, and no failure`() throws {
    let (report, served) = try load(.milliseconds(800), thinking: .milliseconds(80)) {
      number in
      number == 2 || number == 4 ? .answerAndClose(announced: false) : .answer
    }

    #expect(served > 4 && report.requests == served)
    #expect(report.failures == [:] && report.idleReconnects == 2)
  }

  @Test func `a reset that is noticed while idle is a failure`() throws {
    let (report, served) = try load(.milliseconds(800), thinking: .milliseconds(80)) {
      number in
      number == 2 || number == 4 ? .answerAndReset : .answer
    }

    #expect(served > 4 && report.idleReconnects == 0)
    #expect(report.failures == [.resetOnReused: 2])
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nContent-Length: 1 0\r\n\r\nhello from",
    "HTTP/1.1 200 OK\r\nContent-Length: +10\r\n\r\nhello from",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nContent-Length: 11\r\n\r\nhello from!",
    "HTTP/1.1 200 OK\r\nContent-Length : 10\r\n\r\nhello from",
    "HTTP/1.1 200 OK\nContent-Length: 10\n\nhello from",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello from, and more",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: unchunked\r\n\r\na\r\nhello from\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nTransfer-Encoding: chunked\r\n\r\n"
      + "a\r\nhello from\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n+a\r\nhello from\r\n0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello from, and more\r\n0\r\n\r\n",
    "HTTP/1.1 101 Switching Protocols\r\n\r\n",
  ])
  func `an answer that two readers could understand in two ways is malformed`(answer: String) throws
  {
    let (report, served) = try load { number in number == 2 ? .say(answer) : .answer }

    #expect(served > 3 && report.requests == served)
    #expect(report.failures == [.malformed: 1])
  }

  @Test(arguments: [
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
      + "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello from",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\nA;x=\"y\"\r\nhello from\r\n0\r\nT: x\r\n\r\n",
    "HTTP/1.1 200\r\ncontent-length:10\t\r\n\r\nhello from",
  ])
  func `an unusual answer that is right is no failure`(answer: String) throws {
    let (report, served) = try load { _ in .say(answer) }

    #expect(served > 3 && report.requests == served)
    #expect(report.failures == [:] && report.connectionsOpened == 1)
  }

  @Test(arguments: ["hello from tha test\n", "hello from the test\n\n", "hello from the test"])
  func `where every byte of the body is known, a wrong one is a failure`(body: String) throws {
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
    let known: Set = [Array("hello from the test\n".utf8)]

    let (report, served) = try load(bodies: known) { number in
      number == 2 ? .say(answer) : .answer
    }

    #expect(served > 3 && report.requests == served)
    #expect(report.failures == [.wrongBody: 1])
  }

  @Test func `a server that stands still under a rate does not look fast`() throws {
    let (report, served) = try load(.milliseconds(600), thinking: .zero, rate: 100) { number in
      number == 10 ? .answerLate(milliseconds: 1000) : .answer
    }

    #expect(served == 10 && report.failures == [:])
    #expect(report.neverBegun == 50)
    #expect(report.latency.max > 900_000)
  }
}
