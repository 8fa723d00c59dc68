/// One line of haproxy.cfg: where it lies in the bytes, its words, and the section it stands in.
struct Line: Sendable, Hashable {
  /// From 1.
  let number: Int
  /// In the file, without the LF.
  let range: Range<Int>
  let words: [Word]
  /// Where our marker stands, if the line is one that we commented out.
  let marker: Range<Int>?
  /// The section that the line stands in, its own opening line included.
  let section: Section?
  /// Whether it, or the opening line of its section, stands between `.if` and `.endif`.
  let isConditional: Bool

  /// What HAProxy reads a word as, and where it is written.
  struct Word: Sendable, Hashable {
    let text: String
    let range: Range<Int>

    /// As an address it is expanded once more, so that even a quoted `$` makes a variable there.
    var hasVariable: Bool { text.contains("$") }
  }

  struct Section: Sendable, Hashable {
    let keyword: String
    let name: String
    /// The number of `defaults` sections before it, and a named one it asks for (`from NAME`).
    let defaultsLine: Int?

    var holdsServers: Bool { keyword == "backend" || keyword == "listen" }
  }

  /// What a line that we commented out begins with: the original bytes follow to the end.
  static let marker = Array("#duplexctl-disabled ".utf8)

  private static let sectionKeywords: Set<String> = [
    "global", "defaults", "frontend", "backend", "listen", "userlist", "peers", "mailers",
    "program", "http-errors", "ring", "log-forward", "resolvers", "cache", "fcgi-app",
    "namespace_list", "crt-store", "traces", "acme", "log-profile",
  ]

  /// Splits a file into lines and reads each.
  static func reading(_ bytes: [UInt8]) -> [Line] {
    var lines: [Line] = []
    var section: Section?
    var conditions = 0
    var isSectionConditional = false
    var namedDefaults: [String: Int] = [:]
    var lastDefaults: Int?
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let number = lines.count + 1
      let isMarked = bytes[start..<end].starts(with: marker)
      let body = (isMarked ? start + marker.count : start)..<end
      let words = Tokenizer.words(of: bytes, in: body)
      if !isMarked, words.first?.text == ".if" { conditions += 1 }
      if !isMarked, words.first?.text == ".endif" { conditions = max(0, conditions - 1) }
      if !isMarked, let keyword = words.first?.text, sectionKeywords.contains(keyword) {
        let arguments = words.dropFirst().map(\.text)
        var defaults = lastDefaults
        isSectionConditional = conditions > 0
        if let from = arguments.firstIndex(of: "from"), from + 1 < arguments.count {
          defaults = namedDefaults[arguments[from + 1]] ?? defaults
        }
        section = Section(
          keyword: keyword,
          name: arguments.first ?? "",
          defaultsLine: defaults
        )
        if keyword == "defaults" {
          lastDefaults = number
          if let name = arguments.first { namedDefaults[name] = number }
        }
      }
      lines.append(
        Line(
          number: number,
          range: start..<end,
          words: words,
          marker: isMarked ? start..<(start + marker.count) : nil,
          section: section,
          isConditional: isSectionConditional || conditions > 0
        )
      )
      start = end + 1
    }
    return lines
  }
}

/// HAProxy's own splitting of a line into words (`parse_line` in its tools.c; manual 2.2).
enum Tokenizer {
  static func words(of bytes: [UInt8], in range: Range<Int>) -> [Line.Word] {
    var words: [Line.Word] = []
    var index = range.lowerBound
    let end = range.upperBound
    while index < end {
      switch bytes[index] {
      case let byte where byte.isBlank: index += 1
      case UInt8(ascii: "#"): return words
      default: words.append(word(of: bytes, from: &index, to: end))
      }
    }
    return words
  }

  private static func word(of bytes: [UInt8], from index: inout Int, to end: Int) -> Line.Word {
    let start = index
    var text: [UInt8] = []
    var quote: UInt8?
    scan: while index < end {
      let byte = bytes[index]
      switch (byte, quote) {
      case (UInt8(ascii: "#"), nil): break scan
      case (_, nil) where byte.isBlank: break scan
      case (UInt8(ascii: "\""), nil), (UInt8(ascii: "'"), nil): quote = byte
      case (_, byte) where byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'"): quote = nil
      case (UInt8(ascii: "\\"), nil), (UInt8(ascii: "\\"), UInt8(ascii: "\"")):
        text += escape(of: bytes, at: &index, to: end)
        continue
      default: text.append(byte)
      }
      index += 1
    }
    return Line.Word(text: String(decoding: text, as: UTF8.self), range: start..<index)
  }

  /// What a backslash and what follows it stand for; `index` ends behind it.
  private static func escape(of bytes: [UInt8], at index: inout Int, to end: Int) -> [UInt8] {
    guard index + 1 < end else {
      index += 1
      return [UInt8(ascii: "\\")]
    }
    let next = bytes[index + 1]
    switch next {
    case UInt8(ascii: "n"):
      index += 2
      return [10]
    case UInt8(ascii: "r"):
      index += 2
      return [13]
    case UInt8(ascii: "t"):
      index += 2
      return [9]
    case UInt8(ascii: "x"):
      guard index + 3 < end, let high = hex(bytes[index + 2]), let low = hex(bytes[index + 3])
      else { break }
      index += 4
      return [high << 4 | low]
    default: break
    }
    index += 2
    return [next]
  }

  private static func hex(_ byte: UInt8) -> UInt8? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}

extension UInt8 {
  /// What parts words: isspace(3) in the C locale. An LF never stands within a line.
  var isBlank: Bool { self == UInt8(ascii: " ") || (9...13).contains(self) }
}
