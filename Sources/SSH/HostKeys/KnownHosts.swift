/// What the known_hosts files say (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). Read only: nothing is
/// ever added.
struct KnownHosts: Hashable {
  private(set) var entries: [Entry] = []
  /// Lines that are neither entry nor comment. Like ssh, they are passed over.
  private(set) var unreadable: [Origin] = []

  struct Entry: Hashable {
    var marker: Marker?
    var names: HostPatterns
    var key: HostKey
    var origin: Origin
  }

  enum Marker: String, Hashable {
    case revoked = "@revoked"
    case certificateAuthority = "@cert-authority"
  }

  /// The line an entry stands on, counted from 1.
  struct Origin: Hashable, CustomStringConvertible {
    var file: String
    var line: Int
    var description: String { "\(file):\(line)" }
  }

  /// Adds the entries of one file's content.
  mutating func read(_ content: some Collection<UInt8>, file: String) {
    let lines = content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    for (index, line) in lines.enumerated() {
      read(line: Array(line), at: Origin(file: file, line: index + 1))
    }
  }
}

extension KnownHosts {
  private mutating func read(line: [UInt8], at origin: Origin) {
    var words = line.split(whereSeparator: Self.isBlank)[...]
    guard let first = words.first, first.first != UInt8(ascii: "#") else { return }

    var marker: Marker?
    if first.first == UInt8(ascii: "@") {
      marker = Marker(rawValue: String(decoding: first, as: UTF8.self))
      guard marker != nil else { return unreadable.append(origin) }
      words = words.dropFirst()
    }

    guard words.count >= 3, let names = HostPatterns(Array(words[words.startIndex])),
      let blob = Base64.decode(words[words.startIndex + 2])
    else { return unreadable.append(origin) }
    let key = HostKey(blob: blob)
    guard key.type == String(decoding: words[words.startIndex + 1], as: UTF8.self) else {
      return unreadable.append(origin)
    }
    entries.append(Entry(marker: marker, names: names, key: key, origin: origin))
  }

  /// The carriage return counts: a file edited on Windows is as good as any.
  private static func isBlank(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\r")
  }
}
