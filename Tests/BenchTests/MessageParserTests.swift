import Testing

@testable import Bench

struct MessageParserTests {
  private func parse(
    _ kind: MessageParser.Kind,
    _ pieces: [[UInt8]]
  ) -> (progress: MessageParser.Progress, parser: MessageParser) {
    var parser = MessageParser(kind)
    var progress = MessageParser.Progress.incomplete
    for piece in pieces { progress = piece.withUnsafeBytes { parser.take($0) } }
    return (progress, parser)
  }

  private let answer = Array(
    "HTTP/1.1 200 OK\r\nServer: nginx\r\ncontent-LENGTH: 6\r\nContent-Type: a/b\r\n\r\nhello\n".utf8
  )

  @Test func `an answer is complete wherever it is cut in two`() {
    for cut in 1..<answer.count {
      let first = parse(.answer, [Array(answer[..<cut])])
      let (progress, parser) = parse(.answer, [Array(answer[..<cut]), Array(answer[cut...])])

      #expect(first.progress == .incomplete, "cut at \(cut)")
      #expect(progress == .complete(used: answer.count - cut), "cut at \(cut)")
      #expect(parser.status == 200)
    }
  }

  @Test func `an answer is complete with its last byte when each byte comes alone`() {
    let (progress, parser) = parse(.answer, answer.map { [$0] })

    #expect(progress == .complete(used: 1))
    #expect(parser.status == 200)
  }

  @Test func `what follows an answer is not taken for a part of it`() {
    let (progress, _) = parse(.answer, [answer + answer])

    #expect(progress == .complete(used: answer.count))
  }

  @Test func `a body may be thrown away unseen`() {
    var parser = MessageParser(.answer)

    let progress = answer.dropLast(4).withUnsafeBytes { parser.take($0) }

    #expect(progress == .incomplete)
    #expect(parser.remainingBody == 4)
    let ends = [parser.skipBody(3), parser.skipBody(1)]
    #expect(ends == [false, true])
  }

  @Test func `a parser that was reset reads the next message as the first`() {
    var parser = parse(.answer, [answer]).parser

    parser.reset()

    let progress = answer.withUnsafeBytes { parser.take($0) }
    #expect(progress == .complete(used: answer.count))
    #expect(parser.status == 200)
  }

  @Test func `another status is no less an answer`() {
    let (progress, parser) = parse(
      .answer,
      [Array("HTTP/1.0 503 Gone\r\nContent-Length: 0\r\n\r\n".utf8)]
    )

    #expect(progress == .complete(used: 40))
    #expect(parser.status == 503)
  }

  @Test(arguments: [
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx",
    "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
    "HTTP/1.1 OK\r\n\r\n",
    "no HTTP\n",
  ])
  func `an answer whose end cannot be told is refused`(text: String) {
    #expect(parse(.answer, [Array(text.utf8)]).progress == .malformed)
  }

  @Test func `a request without a length has no body`() {
    let (progress, parser) = parse(.request, [Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)])

    #expect(progress == .complete(used: 27))
    #expect(parser.firstByte == UInt8(ascii: "G"))
  }

  @Test func `a request with a length is complete with its body`() {
    let head = Array("POST /up HTTP/1.1\r\nContent-Length: 3\r\n\r\n".utf8)

    #expect(parse(.request, [head]).progress == .incomplete)
    #expect(parse(.request, [head, Array("abcd".utf8)]).progress == .complete(used: 3))
  }
}
