/// The one quoting function: every word that came from outside passes through here on its way into
/// a script.
package enum ShellWord {
  /// The word as POSIX shell source that expands to exactly the word (XCU 2.2.2, single quotes).
  ///
  /// Words made only of letters, digits and `@%+=:,./_-` stay as they are, so that commands read
  /// well. A NUL cannot be passed to a command at all and is left out.
  package static func quoting(_ word: String) -> String {
    let word = word.utf8.contains(0) ? word.filter { $0 != "\0" } : word
    guard !word.isEmpty else { return "''" }
    if word.utf8.allSatisfy(isPlain) { return word }
    return "'" + word.split(separator: "'", omittingEmptySubsequences: false)
      .joined(separator: #"'\''"#) + "'"
  }

  /// Words joined by spaces, each quoted.
  package static func line(_ words: [String]) -> String {
    words.map(quoting).joined(separator: " ")
  }

  private static func isPlain(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "@%+=:,./_-".utf8.contains(byte)
    }
  }
}
