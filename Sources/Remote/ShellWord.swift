/// The one quoting function: every word that came from outside passes through here on its way into
/// a script.
package enum ShellWord {
  /// The word as POSIX shell source that expands to exactly the word (XCU 2.2.2, single quotes).
  ///
  /// Words made only of letters, digits and `@%+=:,./_-` stay as they are, so that commands read
  /// well. A NUL cannot be passed to a command at all and is left out.
  package static func quoting(_ word: String) -> String {
    // Scalar by scalar: a quote with a combining accent after it is one Character, not a quote.
    let scalars = word.unicodeScalars.filter { $0 != "\0" }
    guard !scalars.isEmpty else { return "''" }
    if scalars.allSatisfy(isPlain) { return String(String.UnicodeScalarView(scalars)) }
    return "'" + scalars.map { $0 == "'" ? #"'\''"# : String($0) }.joined() + "'"
  }

  /// Words joined by spaces, each quoted.
  package static func line(_ words: [String]) -> String {
    words.map(quoting).joined(separator: " ")
  }

  private static func isPlain(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "a"..."z", "A"..."Z", "0"..."9": true
    default: "@%+=:,./_-".unicodeScalars.contains(scalar)
    }
  }
}
