/// An HTTP/1.x request, as far as the admin endpoint needs it: its first line, and whether a browser sent it.
package enum AdminRequest: Equatable, Sendable {
  /// The header has not ended yet.
  case incomplete
  /// GET or HEAD of a path, without its query.
  case get(path: String, isHead: Bool)
  /// PUT or POST to a path, without its query; what it carries is not read.
  case change(path: String)
  /// The same, sent by a browser for a page: those name their `Origin` with every PUT and POST (Fetch, 3.2), and no
  /// page has any business here, whichever port of the operator's machine is forwarded to this one.
  case changeForPage
  /// Another method.
  case otherMethod
  /// Not HTTP, or more than the endpoint reads.
  case malformed

  /// Headers longer than this are refused.
  package static let limit = 8192

  package init(_ bytes: [UInt8]) {
    guard bytes.count <= Self.limit else {
      self = .malformed
      return
    }
    guard Self.endsHeader(bytes) else {
      self = .incomplete
      return
    }
    let line = bytes.prefix { $0 != UInt8(ascii: "\n") && $0 != UInt8(ascii: "\r") }
    let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    guard words.count == 3, words[2].starts(with: "HTTP/1.".utf8),
      words[1].first == UInt8(ascii: "/")
    else {
      self = .malformed
      return
    }
    let path = String(decoding: words[1].prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
    switch String(decoding: words[0], as: UTF8.self) {
    case "GET": self = .get(path: path, isHead: false)
    case "HEAD": self = .get(path: path, isHead: true)
    case "PUT", "POST": self = Self.namesOrigin(bytes) ? .changeForPage : .change(path: path)
    default: self = .otherMethod
    }
  }

  private static func namesOrigin(_ bytes: [UInt8]) -> Bool {
    let lines = bytes.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    return lines.dropFirst().contains { line in
      // Spaces before the colon are for a server to refuse (RFC 9112, 5.1), not to be fooled by.
      let name = line.prefix { $0 != UInt8(ascii: ":") }.filter { $0 > UInt8(ascii: " ") }
      return String(decoding: name, as: UTF8.self).lowercased() == "origin"
    }
  }

  /// An empty line ends the header; a line feed alone ends a line too (RFC 9112, 2.2).
  private static func endsHeader(_ bytes: [UInt8]) -> Bool {
    var isLineEmpty = false
    for byte in bytes {
      switch byte {
      case UInt8(ascii: "\n"):
        if isLineEmpty { return true }
        isLineEmpty = true
      case UInt8(ascii: "\r"): continue
      default: isLineEmpty = false
      }
    }
    return false
  }
}

/// What the endpoint answers; the connection is closed after it.
package struct AdminResponse: Sendable, Equatable {
  package let status: Int
  package let body: String
  package var contentType = "text/plain; charset=utf-8"

  package func bytes(isHead: Bool) -> [UInt8] {
    let reason =
      switch status {
      case 200: "OK"
      case 400: "Bad Request"
      case 403: "Forbidden"
      case 404: "Not Found"
      case 405: "Method Not Allowed"
      default: "Service Unavailable"
      }
    let head = """
      HTTP/1.1 \(status) \(reason)\r
      Content-Type: \(contentType)\r
      Content-Length: \(body.utf8.count)\r
      Connection: close\r
      \r

      """
    return Array(head.utf8) + (isHead ? [] : Array(body.utf8))
  }
}
