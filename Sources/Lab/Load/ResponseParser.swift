/// Reads one HTTP/1.1 response (RFC 9112), byte by byte if need be, and checks it as it goes.
///
/// No interim (1xx) responses are expected, as the client never asks for any.
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
          if line.last == UInt8(ascii: "\r") { line.removeLast() }
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
        words[1].count == 3, let status = Int(words[1])
      else { throw .statusLine(text) }
      self.status = status
      keepsAlive = words[0] == "HTTP/1.1"
      state = .headers
    case .headers:
      if text.isEmpty { headersEnded() } else { try header(text) }
    case .chunkSize:
      let digits = text.prefix { $0 != ";" && $0 != " " }
      guard let size = Int(digits, radix: 16), size >= 0 else { throw .chunk(text) }
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
    guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
      throw .header(text)
    }
    let name = text[..<colon].lowercased()
    let value = text[text.index(after: colon)...].filter { $0 != " " && $0 != "\t" }.lowercased()
    switch name {
    case "content-length":
      guard let count = Int(value), count >= 0, length == nil || length == count else {
        throw .header(text)
      }
      length = count
    case "transfer-encoding": isChunked = value.hasSuffix("chunked")
    case "connection":
      if value.contains("close") { keepsAlive = false }
      if value.contains("keep-alive") { keepsAlive = true }
    default: break
    }
  }

  /// RFC 9112 section 6.3: how long the body is.
  private mutating func headersEnded() {
    if status == 204 || status == 304 {
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
}
