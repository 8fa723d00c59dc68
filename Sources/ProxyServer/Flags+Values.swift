import Duplex

/// How the values of flags are written.
extension Flags {
  mutating func endpoint(
    _ text: String,
    _ place: String,
    _ flag: Flag,
    allowingPortZero: Bool = false
  ) -> SocketAddress? {
    if text.hasPrefix("unix:") {
      return unixSocket(String(text.dropFirst("unix:".count)), place, flag)
    }
    let expected = "IP:PORT, [IPv6]:PORT or unix:PATH was expected"
    guard let colon = text.lastIndex(of: ":") else {
      report(place, "\(flag.rawValue) \(text): \(expected)")
      return nil
    }
    let host = String(text[..<colon])
    guard let port = UInt16(text[text.index(after: colon)...]), port > 0 || allowingPortZero else {
      report(place, "\(flag.rawValue) \(text): a port of 1 to 65535 was expected after the colon")
      return nil
    }
    let isBracketed = host.hasPrefix("[") && host.hasSuffix("]")
    guard isBracketed || !host.contains(":") else {
      report(place, "\(flag.rawValue) \(text): an IPv6 address stands in brackets")
      return nil
    }
    let literal = host == "localhost" ? "127.0.0.1" : Self.withoutBrackets(host)
    guard let address = SocketAddress(literal: literal, port: port) else {
      report(
        place,
        "\(flag.rawValue) \(text): \(host) is no IP address, and names are not resolved here; \(expected)"
      )
      return nil
    }
    return address
  }

  mutating func unixSocket(_ path: String, _ place: String, _ flag: Flag) -> SocketAddress? {
    if let address = SocketAddress(unixPath: path) { return address }
    report(place, "\(flag.rawValue) \(path): a path of 1 to 107 bytes was expected")
    return nil
  }

  /// Bytes, with k, m or g for powers of 1024.
  mutating func size(_ text: String, _ place: String, _ flag: Flag) -> Int? {
    var digits = Substring(text)
    var unit = 1
    switch text.last {
    case "k", "K": unit = 1 << 10
    case "m", "M": unit = 1 << 20
    case "g", "G": unit = 1 << 30
    default: break
    }
    if unit > 1 { digits = digits.dropLast() }
    guard let count = Int(digits), count >= 0, count <= (1 << 40) / unit else {
      report(place, "\(flag.rawValue) \(text): bytes were expected, as 262144, 256k or 1m")
      return nil
    }
    return count * unit
  }

  mutating func duration(_ text: String, _ place: String, _ flag: Flag) -> UInt64? {
    guard let seconds = Double(text), seconds > 0, seconds <= 86_400 else {
      report(place, "\(flag.rawValue) \(text): seconds above 0 and up to 86400 were expected")
      return nil
    }
    return UInt64(seconds * 1e9)
  }

  static func withoutBrackets(_ host: String) -> String {
    host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
  }
}

// MARK: Addresses

extension Flags {
  /// What --listen names; nil is reported.
  mutating func listening(_ text: String, _ place: String) -> Listening? {
    if let port = UInt16(text) { return .port(port) }
    guard text.contains(":") else {
      report(place, "--listen \(text): a port of 0 to 65535 was expected")
      return nil
    }
    return endpoint(text, place, .listen, allowingPortZero: true).map { .address($0) }
  }

  mutating func ranges(_ text: String, _ place: String, _ flag: Flag) -> [AddressRange]? {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    let ranges = parts.compactMap { range(String($0.filter { $0 != " " }), place, flag) }
    return ranges.count == parts.count ? ranges : nil
  }

  private mutating func range(_ text: String, _ place: String, _ flag: Flag) -> AddressRange? {
    do {
      return try AddressRange(text)
    } catch {
      let wrong =
        switch error {
        case .bitsBeyond(let meant): "has bits beyond its length; \(meant) was probably meant"
        case .notARange: "an address or a range such as 10.0.0.0/8 or fd00::/8 was expected"
        }
      report(place, "\(flag.rawValue) \(text): \(wrong)")
      return nil
    }
  }

  mutating func proxyProtocol(
    _ text: String,
    _ place: String,
    _ flag: Flag
  ) -> ShadowProxyProtocol? {
    if let mode = ShadowProxyProtocol(rawValue: text) { return mode }
    report(place, "\(flag.rawValue) \(text): keep, strip or add was expected")
    return nil
  }

  mutating func fileMode(_ text: String, _ place: String, _ flag: Flag) -> UInt16? {
    let isOctal =
      (3...4).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x37).contains($0) }
    guard isOctal, let mode = UInt16(text, radix: 8), mode <= 0o777 else {
      report(place, "\(flag.rawValue) \(text): an octal mode up to 777 was expected, as 660")
      return nil
    }
    return mode
  }
}

extension Flags.Listening: CustomStringConvertible {
  var description: String {
    switch self {
    case .port(let port): "\(port)"
    case .address(let address): "\(address)"
    }
  }
}
