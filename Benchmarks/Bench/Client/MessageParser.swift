/// Finds the end of HTTP/1.1 messages that state their length, however their bytes arrive, and reads no
/// more of them than that needs. A message that ends in another way is refused: no peer here sends one.
struct MessageParser {
  enum Kind {
    case request
    case answer
  }

  enum Progress: Equatable {
    case incomplete
    /// Complete after so many bytes of those that were given.
    case complete(used: Int)
    case malformed
  }

  /// The status of an answer; 0 until it was read.
  private(set) var status = 0
  /// What the message's first byte was, which tells a GET from a POST.
  private(set) var firstByte: UInt8 = 0
  /// Bytes of the body that are still to come; nothing before the body begins.
  private(set) var remainingBody = 0

  private let kind: Kind
  private var part = Part.firstLine
  /// Bytes of the current line, or of the name that is compared, so far.
  private var column = 0
  private var length: Int?

  private enum Part {
    case firstLine
    case headerName
    case headerRest
    case length
    case body
  }

  init(_ kind: Kind) {
    self.kind = kind
  }

  var isInBody: Bool { part == .body }

  /// Takes the next bytes of the message, of which there is at least one.
  mutating func take(_ bytes: UnsafeRawBufferPointer) -> Progress {
    var position = 0
    while part != .body {
      guard position < bytes.count else { return .incomplete }
      guard take(bytes[position]) else { return .malformed }
      position += 1
    }
    let body = min(remainingBody, bytes.count - position)
    return skipBody(body) ? .complete(used: position + body) : .incomplete
  }

  /// Notes bytes of the body that were thrown away unseen; true when the message is complete.
  mutating func skipBody(_ count: Int) -> Bool {
    remainingBody -= count
    return remainingBody == 0
  }

  /// Makes it ready for the next message.
  mutating func reset() {
    self = MessageParser(kind)
  }
}

extension MessageParser {
  /// A byte of the head; false where the head makes no sense.
  private mutating func take(_ byte: UInt8) -> Bool {
    switch part {
    case .firstLine: return takeFirstLine(byte)
    case .headerName: return takeHeaderName(byte)
    case .length: return takeLength(byte)
    case .headerRest:
      if byte == newline { beginLine() }
      return true
    case .body: return true
    }
  }

  /// `HTTP/1.1 200 OK`: the digits stand in columns 9 to 11.
  private mutating func takeFirstLine(_ byte: UInt8) -> Bool {
    if column == 0 { firstByte = byte }
    if byte == newline {
      beginLine()
      return kind == .request || status >= 100
    }
    if kind == .answer, (9...11).contains(column) {
      guard let digit = digit(byte) else { return false }
      status = status * 10 + digit
    }
    column += 1
    return true
  }

  private mutating func takeHeaderName(_ byte: UInt8) -> Bool {
    if byte == newline, column == 0 { return beginBody() }
    if byte == carriageReturn, column == 0 { return true }
    guard column < lengthName.utf8CodeUnitCount,
      byte | 0x20 == lengthName.utf8Start[column]
    else {
      part = .headerRest
      return byte != newline
    }
    column += 1
    if column == lengthName.utf8CodeUnitCount {
      guard length == nil else { return false }
      length = 0
      part = .length
    }
    return true
  }

  private mutating func takeLength(_ byte: UInt8) -> Bool {
    switch byte {
    case newline: beginLine()
    case space, carriageReturn: break
    default:
      guard let digit = digit(byte), let length, length < 1 << 40 else { return false }
      self.length = length * 10 + digit
    }
    return true
  }

  private mutating func beginLine() {
    column = 0
    part = .headerName
  }

  /// A request without a length has no body (RFC 9112, 6.3); an answer without one ends in another way.
  private mutating func beginBody() -> Bool {
    guard let length = length ?? (kind == .request ? 0 : nil) else { return false }
    remainingBody = length
    part = .body
    return true
  }

  private func digit(_ byte: UInt8) -> Int? {
    byte >= 0x30 && byte <= 0x39 ? Int(byte) - 0x30 : nil
  }
}

private let newline = UInt8(ascii: "\n")
private let carriageReturn = UInt8(ascii: "\r")
private let space = UInt8(ascii: " ")
/// The name and its colon; the bit that makes letters small leaves `-` and `:` as they are.
private let lengthName: StaticString = "content-length:"
