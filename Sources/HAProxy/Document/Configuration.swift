// HAProxy: haproxy.cfg as a lossless document with edits as values, and what is said to a running
// HAProxy. Values only: scripts and readings of their results. Nothing here opens a file or socket.

/// haproxy.cfg as a document that keeps every byte: `Configuration(x).bytes == x` for any bytes.
///
/// Lines are read by HAProxy 2.6's own rules (configuration manual 2.2, 2.3): words split at blanks
/// and tabs; `"…"`, `'…'` and backslashes quote; `#` begins a comment anywhere outside them; there is
/// no line continuation. Only one line ever changes in an edit, and only its part that is meant.
package struct Configuration: Sendable, Hashable {
  package let bytes: [UInt8]
  let lines: [Line]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
    lines = Line.reading(bytes)
  }

  /// Every `server` line of `backend` and `listen` sections, marked ones included, in file order.
  package var servers: [ServerLine] {
    var defaults = DefaultArguments()
    return lines.compactMap { line in
      let inherited = defaults.following(line)
      guard let section = line.section, section.holdsServers else { return nil }
      return ServerLine(line, in: section, inheriting: inherited)
    }
  }

  /// The one line of a server.
  ///
  /// - Throws: `notFound`, or `ambiguous` where several lines match (branches of `.if`).
  package func server(_ id: ServerID) throws(EditRefusal) -> ServerLine {
    let found = servers.filter { $0.id == id }
    guard let first = found.first else { throw .notFound(id) }
    guard found.count == 1 else { throw .ambiguous(id, lines: found.map(\.line)) }
    return first
  }

  /// The whole line `number` (from 1), without its LF.
  func bytes(ofLine number: Int) -> [UInt8] {
    Array(bytes[lines[number - 1].range])
  }
}

/// One `server` line as it stands in the file.
package struct ServerLine: Sendable, Hashable {
  package var section: Section
  package var id: ServerID
  /// From 1.
  package var line: Int
  /// The whole address word, as written.
  package var address: String
  /// The address without port, brackets and family prefix; nil for sockets and variables.
  package var host: String?
  /// Nil where there is none, or one that is not a plain number.
  package var port: Int?
  package var state: State
  /// The `port` argument: where health checks go instead of the address's port.
  package var checkPort: Int?
  package var isBackup: Bool
  /// The keyword `disabled`: out of service until somebody says otherwise.
  package var isDisabledByKeyword: Bool
  /// The `weight` argument; nil where it is not given (1).
  var weight: Int?
  /// It stands between `.if` and `.endif`, so that whether it is there cannot be read off the file.
  var isConditional: Bool
  /// The address holds an environment variable, so that what it is cannot be read off the file.
  package var hasVariableAddress: Bool
  /// Servers whose health this one follows (`track`).
  var tracked: String?
  var addressRange: Range<Int>
  var markerRange: Range<Int>?

  package enum Section: String, Sendable, Hashable, Codable {
    case backend
    case listen
  }

  package enum State: String, Sendable, Hashable, Codable {
    case enabled
    /// Commented out with our marker.
    case disabled
  }

  /// It takes requests as far as the file says. A backup server counts, weight 0 does not.
  package var isUsable: Bool { mayBeUsable && !isConditional }

  /// Nothing on its own line keeps it from taking requests.
  var mayBeUsable: Bool { state == .enabled && !isDisabledByKeyword && weight != 0 }
}

/// Why an edit was not made. The file is as it was.
package enum EditRefusal: Error, Sendable, Hashable, Codable {
  case notFound(ServerID)
  /// More than one line matches, as in the branches of `.if`.
  case ambiguous(ServerID, lines: [Int])
  case variableInAddress(ServerID, line: Int, address: String)
  /// The address has no plain port: none, `:+10`, a socket.
  case noPlainPort(ServerID, line: Int, address: String)
  /// Other lines need the server: `use-server`, `track`, `srv_is_up()` and their like.
  case referenced(ServerID, lines: [Int])
  case lastUsable(ServerID, line: Int)
  case portOutOfRange(Int)
  /// The line is not what the edit was made from.
  case lineDiffers(line: Int)
}
