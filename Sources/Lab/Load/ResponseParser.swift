/// Reads one HTTP/1.1 response (RFC 9112), byte by byte if need be, and checks it as it goes.
///
/// Stricter than a browser: what two readers could understand in two ways is malformed. Interim
/// (1xx) responses are read and skipped. A body without a length ends with the connection, so it is
/// the one kind of body whose loss of a tail goes unnoticed.
struct ResponseParser: Sendable {
  private(set) var status = 0
  /// The server keeps the connection for another request.
  private(set) var keepsAlive = true
  /// The first bytes of the body, as many as an expectation could need.
  private(set) var bodyStart: [UInt8] = []
  private(set) var bodyCount = 0
  private(set) var hasBegun = false
  private(set) var isComplete = false

  private var state = State.statusLine
  private var line: [UInt8] = []
  private var remaining = 0
  private var isChunked = false
  private var length: Int?
  private static let longestLine = 16384
  private static let bodyStartLimit = 256

  private enum State: Sendable {
    case statusLine
    case headers
    case body
    case bodyUntilClose
    case chunkSize
    case chunk
    case chunkEnd
    case trailers
  }

  enum Malformed: Error, Sendable, Hashable {
    case statusLine(String)
    case header(String)
    case chunk(String)
    /// Bytes after the end of the response.
    case excess(Int)
  }

  /// Takes what was received.
  mutating func take(_ bytes: UnsafeRawBufferPointer) throws(Malformed) {
    var index = 0
    if !bytes.isEmpty { hasBegun = true }
    while index < bytes.count {
      guard !isComplete else { throw .excess(bytes.count - index) }
      switch state {
      case .body, .chunk:
        let count = min(remaining, bytes.count - index)
        addBody(UnsafeRawBufferPointer(rebasing: bytes[index..<(index + count)]))
        remaining -= count
        index += count
        if remaining == 0 { if state == .body { isComplete = true } else { state = .chunkEnd } }
      case .bodyUntilClose:
        addBody(UnsafeRawBufferPointer(rebasing: bytes[index...]))
        index = bytes.count
      default:
        let byte = bytes[index]
        index += 1
        if byte != UInt8(ascii: "\n") {
          line.append(byte)
          guard line.count <= Self.longestLine else { throw .header("a line without end") }
        } else {
          guard line.last == UInt8(ascii: "\r") else { throw .header("a line feed alone") }
          line.removeLast()
          let text = String(decoding: line, as: UTF8.self)
          line.removeAll(keepingCapacity: true)
          try lineEnded(text)
        }
      }
    }
  }

  /// The server closed its side: true where that is how this response ends.
  mutating func closed() -> Bool {
    guard state == .bodyUntilClose else { return false }
    isComplete = true
    return true
  }

  private mutating func addBody(_ bytes: UnsafeRawBufferPointer) {
    bodyCount += bytes.count
    if bodyStart.count < Self.bodyStartLimit {
      bodyStart += bytes.prefix(Self.bodyStartLimit - bodyStart.count)
    }
  }

  private mutating func lineEnded(_ text: String) throws(Malformed) {
    switch state {
    case .statusLine:
      let words = text.split(separator: " ", maxSplits: 2)
      guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0",
        words[1].utf8.count == 3, let status = Self.number(words[1], radix: 10), status >= 100
      else { throw .statusLine(text) }
      self.status = status
      keepsAlive = words[0] == "HTTP/1.1"
      length = nil
      isChunked = false
      state = .headers
    case .headers:
      if text.isEmpty { try headersEnded() } else { try header(text) }
    case .chunkSize:
      let digits = text.prefix { $0 != ";" && $0 != " " && $0 != "\t" }
      guard let size = Self.number(digits, radix: 16) else { throw .chunk(text) }
      remaining = size
      state = size == 0 ? .trailers : .chunk
    case .chunkEnd:
      guard text.isEmpty else { throw .chunk(text) }
      state = .chunkSize
    case .trailers:
      if text.isEmpty { isComplete = true }
    case .body, .bodyUntilClose, .chunk: break
    }
  }

  private mutating func header(_ text: String) throws(Malformed) {
    guard let colon = text.firstIndex(of: ":"), colon != text.startIndex,
      !text[..<colon].contains(where: { $0 == " " || $0 == "\t" })
    else { throw .header(text) }
    let name = text[..<colon].lowercased()
    let value = Self.trimmed(text[text.index(after: colon)...]).lowercased()
    switch name {
    case "content-length":
      guard let count = Self.number(value, radix: 10), length == nil || length == count else {
        throw .header(text)
      }
      length = count
    case "transfer-encoding":
      guard value == "chunked", !isChunked else { throw .header(text) }
      isChunked = true
    case "connection":
      let options = value.split(separator: ",").map(Self.trimmed)
      if options.contains("keep-alive") { keepsAlive = true }
      if options.contains("close") { keepsAlive = false }
    default: break
    }
  }

  /// RFC 9112 section 6.3: how long the body is.
  private mutating func headersEnded() throws(Malformed) {
    guard length == nil || !isChunked else { throw .header("both a length and chunks") }
    if status < 200 {
      guard status != 101 else { throw .header("a change of protocol that nobody asked for") }
      state = .statusLine
    } else if status == 204 || status == 304 {
      isComplete = true
    } else if isChunked {
      state = .chunkSize
    } else if let length {
      remaining = length
      state = .body
      isComplete = length == 0
    } else {
      keepsAlive = false
      state = .bodyUntilClose
    }
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let isBlank = { (character: Character) in character == " " || character == "\t" }
    var text = text.drop(while: isBlank)
    while let last = text.last, isBlank(last) { text.removeLast() }
    return text
  }

  /// Digits and nothing else: `Int` would take a sign.
  private static func number(_ text: some StringProtocol, radix: Int) -> Int? {
    text.utf8.allSatisfy { $0 != UInt8(ascii: "+") && $0 != UInt8(ascii: "-") }
      ? Int(text, radix: radix) : nil
  }
}
