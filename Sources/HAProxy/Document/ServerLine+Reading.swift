extension ServerLine {
  /// Reads a line; nil where it is no `server` line with a name and an address.
  ///
  /// - Parameter inherited: what `default-server` says for it.
  init?(_ line: Line, in section: Line.Section, inheriting inherited: [String]) {
    guard line.words.count >= 3, line.words[0].text == "server",
      let kind = Section(rawValue: section.keyword)
    else { return nil }
    let name = line.words[1]
    let address = line.words[2]
    let arguments = inherited + line.words.dropFirst(3).map(\.text)
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
      isBackup: Self.isOn("backup", off: "no-backup", in: arguments),
      isDisabledByKeyword: Self.isOn("disabled", off: "enabled", in: arguments),
      weight: Self.value(of: "weight", in: arguments).flatMap { Int($0) },
      isConditional: line.isConditional,
      hasVariableAddress: address.hasVariable,
      tracked: Self.value(of: "track", in: arguments),
      addressRange: address.range,
      markerRange: line.marker
    )
  }

  private static func value(of keyword: String, in arguments: [String]) -> String? {
    guard let index = arguments.lastIndex(of: keyword), index + 1 < arguments.count else {
      return nil
    }
    return arguments[index + 1]
  }

  /// The last of a keyword and its opposite counts (manual 5.2).
  private static func isOn(_ keyword: String, off opposite: String, in arguments: [String]) -> Bool
  {
    arguments.last { $0 == keyword || $0 == opposite } == keyword
  }
}

/// Follows a file line by line and knows what `default-server` says for the servers below it: in
/// their own section, and in the `defaults` that govern it (manual 4.2, `default-server`).
struct DefaultArguments {
  private var section: Line.Section?
  private var opening = 0
  /// By the number of a section's opening line.
  private var arguments: [Int: [String]] = [:]

  /// What holds for a server on this line.
  mutating func following(_ line: Line) -> [String] {
    guard let current = line.section else { return [] }
    if current != section {
      section = current
      opening = line.number
      if current.keyword != "defaults" || line.words.contains(where: { $0.text == "from" }) {
        arguments[opening] = current.defaultsLine.flatMap { arguments[$0] }
      }
    }
    if line.marker == nil, line.words.first?.text == "default-server" {
      arguments[opening, default: []] += line.words.dropFirst().map(\.text)
    }
    return arguments[opening] ?? []
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
