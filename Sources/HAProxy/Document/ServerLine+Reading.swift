extension ServerLine {
  /// Reads a line; nil where it is no `server` line with a name and an address.
  init?(_ line: Line, in section: Line.Section) {
    guard line.words.count >= 3, line.words[0].text == "server",
      let kind = Section(rawValue: section.keyword)
    else { return nil }
    let name = line.words[1]
    let address = line.words[2]
    let arguments = line.words.dropFirst(3).map(\.text)
    let parsed = Address(address)
    self.init(
      section: kind,
      id: ServerID(backend: section.name, server: name.text),
      line: line.number,
      address: address.text,
      host: parsed.host,
      port: parsed.port,
      state: line.marker == nil ? .enabled : .disabled,
      checkPort: Self.value(of: "port", in: arguments).flatMap { Int($0) },
      isBackup: arguments.contains("backup"),
      isDisabledByKeyword: Self.isDisabled(arguments),
      hasVariableAddress: address.hasVariable,
      tracked: Self.value(of: "track", in: arguments),
      addressRange: address.range,
      markerRange: line.marker
    )
  }

  private static func value(of keyword: String, in arguments: [String]) -> String? {
    guard let index = arguments.firstIndex(of: keyword), index + 1 < arguments.count else {
      return nil
    }
    return arguments[index + 1]
  }

  /// The last of `disabled` and `enabled` counts (manual 5.2).
  private static func isDisabled(_ arguments: [String]) -> Bool {
    arguments.last { $0 == "disabled" || $0 == "enabled" } == "disabled"
  }
}

/// A server's address word, taken apart (manual 4.2, `server`).
struct Address {
  var host: String?
  var port: Int?

  init(_ word: Line.Word) {
    guard !word.hasVariable else { return }
    var text = word.text[...]
    for prefix in ["ipv4@", "ipv6@", "tcp@", "tcp4@", "tcp6@"] where text.hasPrefix(prefix) {
      text = text.dropFirst(prefix.count)
    }
    guard !text.contains("@"), !text.hasPrefix("/"), let colon = text.lastIndex(of: ":") else {
      return
    }
    let digits = text[text.index(after: colon)...]
    var name = text[..<colon]
    // An IPv6 address without brackets needs its port behind the last colon; `::1` has none.
    if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
    guard !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let number = Int(digits), (1...65535).contains(number)
    else { return }
    host = String(name)
    port = number
  }
}
