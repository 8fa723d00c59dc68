extension Configuration {
  /// The edit that comments a server's line out with our marker; nil where it is so already.
  ///
  /// - Throws: where others need the server, or where its backend would be left without a server
  ///   that takes requests as far as the file says (backup servers count).
  package func removing(_ id: ServerID) throws(EditRefusal) -> LineEdit? {
    let server = try server(id)
    guard server.state == .enabled else { return nil }
    let references = references(to: id)
    guard references.isEmpty else { throw .referenced(id, lines: references) }
    let others = servers.filter { $0.id.backend == id.backend && $0.id != id }
    guard !server.mayBeUsable || others.contains(where: { takesRequests($0) }) else {
      throw .lastUsable(id, line: server.line)
    }
    let before = bytes(ofLine: server.line)
    return LineEdit(line: server.line, before: before, after: Line.marker + before)
  }

  /// The edit that takes our marker off a server's line; nil where it has none.
  package func adding(_ id: ServerID) throws(EditRefusal) -> LineEdit? {
    let server = try server(id)
    guard server.state == .disabled else { return nil }
    let before = bytes(ofLine: server.line)
    return LineEdit(
      line: server.line,
      before: before,
      after: Array(before.dropFirst(Line.marker.count))
    )
  }

  /// The edit that changes the port of a server's address, and nothing else; nil where it is that
  /// port already. Works on marked lines too.
  package func rewriting(_ id: ServerID, port: Int) throws(EditRefusal) -> LineEdit? {
    guard (1...65535).contains(port) else { throw .portOutOfRange(port) }
    let server = try server(id)
    guard !server.hasVariableAddress else {
      throw .variableInAddress(id, line: server.line, address: server.address)
    }
    guard let old = server.port else {
      throw .noPlainPort(id, line: server.line, address: server.address)
    }
    guard old != port else { return nil }
    let range = lines[server.line - 1].range
    let before = bytes(ofLine: server.line)
    // The digits as they are written: the last run of them in the word, quotes may follow.
    let word = bytes[server.addressRange]
    let written = Array(String(old).utf8)
    guard let last = word.lastIndex(where: { (48...57).contains($0) }),
      word[word.startIndex...last].suffix(written.count).elementsEqual(written),
      last - written.count >= word.startIndex,
      word[last - written.count] == UInt8(ascii: ":")
    else { throw .noPlainPort(id, line: server.line, address: server.address) }
    let start = last - written.count + 1 - range.lowerBound
    let after =
      before[..<start] + Array(String(port).utf8) + before[(start + written.count)...]
    let edit = LineEdit(line: server.line, before: before, after: Array(after))
    let moved = try applying(edit).server(id)
    guard moved.port == port, moved.host == server.host else {
      throw .noPlainPort(id, line: server.line, address: server.address)
    }
    return edit
  }

  /// The document with one line changed.
  package func applying(_ edit: LineEdit) throws(EditRefusal) -> Configuration {
    guard lines.indices.contains(edit.line - 1), bytes(ofLine: edit.line) == edit.before else {
      throw .lineDiffers(line: edit.line)
    }
    var changed = bytes
    changed.replaceSubrange(lines[edit.line - 1].range, with: edit.after)
    return Configuration(changed)
  }

  /// Options that reloads need so that keep-alive clients lose nothing, and that are not in force:
  /// `option redispatch` for the backend, `option idle-close-on-response` for every frontend.
  package func missingReloadOptions(backend: String) -> [String] {
    var missing: [String] = []
    if !sections(of: backend).allSatisfy({ isInForce("redispatch", in: $0) }) {
      missing.append("option redispatch")
    }
    let fronts = sections.filter { $0.keyword == "frontend" || $0.keyword == "listen" }
    if !fronts.allSatisfy({ isInForce("idle-close-on-response", in: $0) }) {
      missing.append("option idle-close-on-response")
    }
    return missing
  }

  /// Whether the backend's health checks look at what the server says (`option httpchk` and its kin), and not only
  /// whether it accepts a connection.
  package func checksContent(backend: String) -> Bool {
    sections(of: backend).allSatisfy { section in
      Self.contentChecks.contains { isInForce($0, in: section) }
    }
  }

  /// Configuration manual, 4.2.
  private static let contentChecks = [
    "httpchk", "tcp-check", "external-check", "ldap-check", "mysql-check", "pgsql-check",
    "redis-check", "smtpchk", "spop-check", "ssl-hello-chk",
  ]
}

extension Configuration {
  private var sections: Set<Line.Section> { Set(lines.compactMap(\.section)) }

  private func sections(of backend: String) -> Set<Line.Section> {
    sections.filter { $0.holdsServers && $0.name == backend }
  }

  /// As far as the file says: a server that tracks another is up when that one is.
  private func takesRequests(_ server: ServerLine, tracking seen: Set<ServerID> = []) -> Bool {
    guard server.isUsable, !seen.contains(server.id) else { return false }
    guard let tracked = server.tracked else { return true }
    let id = ServerID(tracked) ?? ServerID(backend: server.id.backend, server: tracked)
    let candidates = servers.filter { $0.id == id }
    return candidates.count == 1
      && takesRequests(candidates[0], tracking: seen.union([server.id]))
  }

  /// Lines that would not stand without the server.
  private func references(to id: ServerID) -> [Int] {
    lines.filter { line in
      guard line.marker == nil, let section = line.section else { return false }
      let isOwn = section.holdsServers && section.name == id.backend
      let texts = line.words.map(\.text)
      if isOwn, texts.first == "use-server", texts.dropFirst().first == id.server { return true }
      let arguments =
        switch texts.first {
        case "server": texts.dropFirst(3)
        case "default-server": texts.dropFirst()
        default: texts[0..<0]
        }
      if let tracked = ServerArguments(Array(arguments)).value(of: "track") {
        if tracked == id.description || (isOwn && tracked == id.server) { return true }
      }
      return texts.contains { $0.asksForServer(id, isOwn: isOwn) }
    }.map(\.number)
  }

  /// Whether the option is on in a section, or in the `defaults` that govern it; `no option` turns
  /// it off.
  private func isInForce(_ option: String, in section: Line.Section) -> Bool {
    if let own = setting(of: option, where: { $0.section == section }) { return own }
    var governing = section.defaultsLine
    while let number = governing, let opening = lines[number - 1].section {
      let own = setting(of: option) { line in
        line.section == opening && line.number >= number
          && !lines[number..<line.number].contains { $0.section != opening }
      }
      if let own { return own }
      // A `defaults` begins with nothing, unless it says `from`; it stands below what it names.
      let isDerived = lines[number - 1].words.contains { $0.text == "from" }
      governing = isDerived ? opening.defaultsLine.flatMap { $0 < number ? $0 : nil } : nil
    }
    return false
  }

  private func setting(of option: String, where matches: (Line) -> Bool) -> Bool? {
    for line in lines.reversed() where line.marker == nil && matches(line) {
      var words = line.words.map(\.text)[...]
      let isNegated = words.first == "no"
      if isNegated { words = words.dropFirst() }
      if words.first == "option", words.dropFirst().first == option { return !isNegated }
    }
    return nil
  }
}

extension String {
  /// A sample fetch such as `srv_is_up(app/app1)` or `srv_conn(app1)` that names the server.
  fileprivate func asksForServer(_ id: ServerID, isOwn: Bool) -> Bool {
    guard contains("srv_") else { return false }
    return contains("(\(id.description))") || (isOwn && contains("(\(id.server))"))
  }
}
