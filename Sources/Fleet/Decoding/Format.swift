/// How one kind of value is written in the inventory: how to read it, and what to say if it is not
/// one.
struct Format<Value: Sendable>: Sendable {
  /// What a problem says was expected.
  var expected: String
  /// The value; nil for a text that is none.
  var read: @Sendable (String) -> Value?
}

extension Format<String> {
  /// Any text on one line.
  static let text = Format(expected: "a text on one line") { text in
    text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7f } ? text : nil
  }
  /// A name that shells, monit and HAProxy all take as it is.
  static let name = Format(expected: "a name of letters, digits, `.`, `_` and `-`") {
    onlyOf(letters + "._-", $0)
  }
  /// HAProxy 2.6, section 4.2: letters, digits and `.:_-`.
  static let sectionName = Format(expected: "a name as HAProxy takes it: letters, digits, `.:_-`") {
    onlyOf(letters + ".:_-", $0)
  }
  /// Made of what needs quoting nowhere, since it is written into monit's file and a shell script.
  static let remotePath = Format(
    expected: "an absolute path of letters, digits and `/._+@=,:-`"
  ) { text in
    text.hasPrefix("/") ? onlyOf(letters + "/._+@=,:-", text) : nil
  }
  static let absolutePath = Format(expected: "an absolute path") { text in
    text.hasPrefix("/") ? Format.text.read(text) : nil
  }
  static let machineAddress = Format(expected: "an IP address or a host name") { text in
    IPLiteral.isValid(text) ? text : onlyOf(letters + "._-", text)
  }

  private static let letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

  private static func onlyOf(_ allowed: String, _ text: String) -> String? {
    guard !text.isEmpty, !text.hasPrefix("-") else { return nil }
    return text.unicodeScalars.allSatisfy(allowed.unicodeScalars.contains) ? text : nil
  }
}

extension Format<Int> {
  static let port = Format(expected: "a port of 1 to 65535") { text in
    number(text).flatMap { (1...65535).contains($0) ? $0 : nil }
  }
  static let size = Format(
    expected: "a size of 4096 bytes or more, such as `65536`, `512k` or `64m`"
  ) { text in
    let units: [Character: Int] = ["k": 10, "m": 20, "g": 30]
    let shift = text.last.flatMap { units[Character($0.lowercased())] }
    guard let count = number(shift == nil ? text : String(text.dropLast())), count <= 1 << 30
    else { return nil }
    let bytes = count << (shift ?? 0)
    return (4096...(1 << 40)).contains(bytes) ? bytes : nil
  }

  static let copies = Format(expected: "a number of copies, 1 to 100") { text in
    number(text).flatMap { (1...100).contains($0) ? $0 : nil }
  }
  static let rate = Format(expected: "connections a second, 1 to 1000000") { text in
    number(text).flatMap { (1...1_000_000).contains($0) ? $0 : nil }
  }

  /// Decimal digits and nothing else; no leading zero, which YAML may read as octal.
  static func number(_ text: String) -> Int? {
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return text.utf8.count > 1 && text.hasPrefix("0") ? nil : Int(text)
  }
}

extension Format<Bool> {
  static let flag = Format(expected: "`true` or `false`") { text in
    switch text {
    case "true", "yes": true
    case "false", "no": false
    default: nil
    }
  }
}

extension Format<Duration> {
  static let duration = Format(
    expected: "a time above 0 and up to a day, such as `30s`, `500ms`, `2m` or plain seconds"
  ) { text in
    let number = text.prefix { $0.isASCII && $0.isNumber }
    let units = ["ms": 1, "": 1000, "s": 1000, "m": 60_000, "h": 3_600_000]
    guard let count = Int(number), let unit = units[String(text.dropFirst(number.count))],
      count > 0, count <= 86_400_000 / unit
    else { return nil }
    return .milliseconds(count * unit)
  }
}

extension Format<Endpoint> {
  static let endpoint = Format(
    expected: "an address and port, such as `127.0.0.1:81` or `[::1]:81`, or `unix:/path`"
  ) { text in
    if text.hasPrefix("unix:") {
      return Format<String>.remotePath.read(String(text.dropFirst(5))).map { .unix(path: $0) }
    }
    guard let colon = text.lastIndex(of: ":"),
      let port = Format<Int>.port.read(String(text[text.index(after: colon)...]))
    else { return nil }
    let host = text[..<colon]
    if host.hasPrefix("["), host.hasSuffix("]") {
      let address = String(host.dropFirst().dropLast())
      return address.contains(":") && IPLiteral.isValid(address)
        ? .tcp(host: address, port: port) : nil
    }
    guard !host.contains(":") else { return nil }
    return Format<String>.machineAddress.read(String(host)).map { .tcp(host: $0, port: port) }
  }
}

extension Format<Inventory.BatchSize> {
  static let batch = Format(
    expected: "a number of hosts, such as `2`, or a share of them, such as `25%`",
    read: Inventory.BatchSize.init(written:)
  )
}

extension Format<Copying.Sample> {
  static let sample = Format(
    expected: "a share of the clients above 0 and up to 100%, such as `10%` or `0.5%`",
    read: Copying.Sample.init(written:)
  )
}

extension Format<AddressRange> {
  static let addressRange = Format(
    expected:
      "a range of addresses, of at most /32 or /128, without bits beyond it, such as `10.9.0.0/24` or `fd00::/8`, or one address",
    read: AddressRange.init(written:)
  )
}

extension Format<Route.ShadowProxyProtocol> {
  static let shadowProxyProtocol = Format(
    expected: "`keep`, `strip` or `add`",
    read: Route.ShadowProxyProtocol.init(rawValue:)
  )
}

extension Format<Copying.Breaker> {
  static let breaker = Format(expected: "`on` or `off`", read: Copying.Breaker.init(rawValue:))
}

extension Format<Balancer.Applying> {
  static let applying = Format(
    expected: "`auto`, `runtime` or `reload`",
    read: Balancer.Applying.init(rawValue:)
  )
}
