import Testing

@testable import Bench

struct PiecesTests {
  @Test func `a queue gives back what it got in the same order, round and round`() {
    var queue = Queue(capacity: 3)
    var seen: [Int] = []
    for number in 0..<10 {
      queue.append(number)
      queue.append(number + 100)
      seen += [queue.removeFirst(), queue.removeFirst()]
    }

    #expect(seen == (0..<10).flatMap { [$0, $0 + 100] })
    #expect(queue.isEmpty)
  }

  @Test func `each round begins with another candidate`() {
    #expect(
      (0..<4).map { [1, 2, 3].rotated(by: $0) } == [[1, 2, 3], [2, 3, 1], [3, 1, 2], [1, 2, 3]]
    )
    #expect([Int]().rotated(by: 2) == [])
  }

  @Test func `haproxy forwards in one thread, and splices only where it is told to`() {
    let ports = (listen: LoopbackPort(1000), server: LoopbackPort(2000))
    let texts = [HAProxyConfiguration.Mode.tcp, .splice, .http].map {
      HAProxyConfiguration(mode: $0, listen: ports.listen, server: ports.server).text
    }

    #expect(texts.allSatisfy { $0.contains("nbthread 1\n") })
    #expect(texts.allSatisfy { $0.contains("bind 127.0.0.1:1000\n") })
    #expect(texts.allSatisfy { $0.contains("server primary 127.0.0.1:2000\n") })
    #expect(texts.map { $0.contains("splice") } == [false, true, false])
    #expect(texts.map { $0.contains("mode http") } == [false, false, true])
  }

  @Test func `nginx's count of requests is the third number`() {
    let status = """
      Active connections: 3
      server accepts handled requests
       16 15 3142
      Reading: 0 Writing: 1 Waiting: 2
      """

    #expect(RequestCounter.requests(in: status) == 3142)
    #expect(RequestCounter.requests(in: "502 Bad Gateway") == nil)
  }

  @Test func `the proxy has the last processor and the others have the rest`() {
    let four = Processors(mask: 0b1111)

    #expect(four.last == Processors(mask: 0b1000))
    #expect(four.without(four.last) == Processors(mask: 0b0111))
  }

  @Test func `a single processor is shared`() {
    let one = Processors(mask: 0b1)

    #expect(one.without(one.last) == one)
  }

  @Test func `every goal can be measured`() {
    for goal in Goal.all {
      let load = Load.catalogue.first { $0.name == goal.load }
      #expect(load?.candidates.contains(goal.candidate) == true, "\(goal.measure)")
      #expect(load?.candidates.contains(goal.other) == true, "\(goal.measure)")
    }
  }

  @Test func `a goal is met at its very limit`() {
    #expect(Goal.Limit.atMost(0.9).isMet(by: 0.9))
    #expect(!Goal.Limit.atMost(0.9).isMet(by: 0.91))
    #expect(Goal.Limit.atLeast(3).isMet(by: 3))
    #expect(!Goal.Limit.atLeast(3).isMet(by: 2.99))
  }
}
