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
    let arguments = ServerArguments(inherited + line.words.dropFirst(3).map(\.text))
    let parsed = Address(address)
    self.init(
      section: kind,
      id: ServerID(backend: section.name, server: name.text),
      line: line.number,
      address: address.text,
      host: parsed.host,
      port: parsed.port,
      state: line.marker == nil ? .enabled : .disabled,
      checkPort: arguments.value(of: "port").flatMap { Int($0) },
      isBackup: arguments.isOn("backup", off: "no-backup"),
      isDisabledByKeyword: arguments.isOn("disabled", off: "enabled"),
      weight: arguments.value(of: "weight").flatMap { Int($0) },
      isConditional: line.isConditional,
      hasVariableAddress: address.hasVariable,
      tracked: arguments.value(of: "track"),
      addressRange: address.range,
      markerRange: line.marker
    )
  }

}

/// What follows a server's address: keywords, some of them with a value (manual 5.2).
struct ServerArguments {
  private var settings: [(keyword: String, value: String?)] = []

  init(_ words: [String]) {
    var rest = words[...]
    while let keyword = rest.popFirst() {
      settings.append((keyword, Self.valued.contains(keyword) ? rest.popFirst() : nil))
    }
  }

  func value(of keyword: String) -> String? {
    settings.last { $0.keyword == keyword }?.value
  }

  /// The last of a keyword and its opposite counts.
  func isOn(_ keyword: String, off opposite: String) -> Bool {
    settings.last { $0.keyword == keyword || $0.keyword == opposite }?.keyword == keyword
  }

  /// The keywords of HAProxy 2.6 and later that take a value: it must not be taken for a keyword
  /// (`cookie disabled`).
  private static let valued: Set<String> = [
    "addr", "agent-addr", "agent-inter", "agent-port", "agent-send", "alpn", "ca-file",
    "check-alpn", "check-proto", "check-sni", "ciphers", "ciphersuites", "client-sigalgs", "cookie",
    "crl-file", "crt", "curves", "downinter", "error-limit", "fall", "fastinter", "guid",
    "hash-key", "id", "idle-ping", "init-addr", "init-state", "inter", "interface", "log-bufsize",
    "log-proto", "max-reuse", "maxconn", "maxqueue", "minconn", "namespace", "npn", "observe",
    "on-error", "on-marked-down", "on-marked-up", "pool-conn-name", "pool-low-conn",
    "pool-max-conn", "pool-purge-delay", "port", "proto", "proxy-v2-options", "redir",
    "resolve-net", "resolve-opts", "resolve-prefer", "resolvers", "rise", "set-proxy-v2-tlv-fmt",
    "shard", "sigalgs", "slowstart", "sni", "socks4", "source", "ssl-max-ver", "ssl-min-ver",
    "tcp-ut", "track", "usesrc", "verify", "verifyhost", "weight", "ws",
  ]
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
