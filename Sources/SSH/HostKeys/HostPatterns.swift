/// The first field of a known_hosts line: which hosts it is about.
enum HostPatterns: Hashable {
  /// HMAC-SHA1 of the one name, under `salt` (ssh-keygen -H).
  case hashed(salt: [UInt8], hash: [UInt8])
  /// In lower case, in their order.
  case patterns([Pattern])

  struct Pattern: Hashable {
    /// With the wildcards `*` and `?`.
    var glob: [UInt8]
    /// A host that matches is not meant, whatever else matches.
    var isNegated: Bool
  }

  /// Reads the field; nil where it is not one.
  init?(_ field: [UInt8]) {
    guard field.starts(with: Array("|".utf8)) else {
      let patterns = field.split(separator: UInt8(ascii: ",")).map(Pattern.init(source:))
      guard !patterns.isEmpty else { return nil }
      self = .patterns(patterns)
      return
    }
    let parts = field.split(separator: UInt8(ascii: "|"), omittingEmptySubsequences: false)
    guard parts.count == 4, parts[0].isEmpty, parts[1].elementsEqual("1".utf8),
      let salt = Base64.decode(parts[2]), let hash = Base64.decode(parts[3]), hash.count == 20
    else { return nil }
    self = .hashed(salt: salt, hash: hash)
  }

  /// Whether a host is meant, by its name as known_hosts writes it: `host`, or `[host]:port`.
  func match(_ name: String) -> Bool {
    let name = name.utf8.map(Self.lowercased)
    switch self {
    case .hashed(let salt, let hash):
      return Digest.hmacSHA1(name, key: salt) == hash
    case .patterns(let patterns):
      let matching = patterns.filter { Self.glob($0.glob[...], matches: name[...]) }
      return !matching.isEmpty && !matching.contains { $0.isNegated }
    }
  }
}

extension HostPatterns.Pattern {
  fileprivate init(source: ArraySlice<UInt8>) {
    isNegated = source.first == UInt8(ascii: "!")
    glob = (isNegated ? source.dropFirst() : source).map(HostPatterns.lowercased)
  }
}

extension HostPatterns {
  fileprivate static func lowercased(_ byte: UInt8) -> UInt8 {
    (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
  }

  /// Goes back to the last star only, so the time is bounded by the product of the lengths.
  private static func glob(_ glob: ArraySlice<UInt8>, matches name: ArraySlice<UInt8>) -> Bool {
    var pattern = glob.startIndex
    var position = name.startIndex
    var star: (pattern: Int, position: Int)?
    while position < name.endIndex {
      let wanted = pattern < glob.endIndex ? glob[pattern] : nil
      if wanted == UInt8(ascii: "*") {
        star = (pattern, position)
        pattern += 1
      } else if wanted == UInt8(ascii: "?") || wanted == name[position] {
        pattern += 1
        position += 1
      } else if let last = star {
        star = (last.pattern, last.position + 1)
        pattern = last.pattern + 1
        position = last.position + 1
      } else {
        return false
      }
    }
    return glob[pattern...].allSatisfy { $0 == UInt8(ascii: "*") }
  }
}
