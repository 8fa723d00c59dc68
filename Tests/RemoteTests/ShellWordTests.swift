import Remote
import TestSupport
import Testing

struct ShellWordTests {
  @Test func `every byte but NUL comes back from a real shell`() async throws {
    let words = (UInt8(1)...255).filter { $0 < 128 }.flatMap { byte in
      let character = String(UnicodeScalar(byte))
      return [character, "a\(character)b", "'\(character)", "\(character)'", character + "\u{301}"]
    }

    try await expectRoundTrip(words)
  }

  @Test(
    arguments: [
      "", "-n", "a b", "~", "$HOME", "$(id)", "`id`", "a\\nb", "'", "''", "it's", "\"", "\r\n",
      "\n",
      "*", "#x", "=", "é", "日本", "👩‍👩‍👧", "'; rm -rf /; '", "\u{301}", "'\u{301}; id; '\u{301}",
    ])
  func `a word comes back from a real shell`(word: String) async throws {
    try await expectRoundTrip([word])
  }

  @Test func `a NUL, which no command can be given, is left out`() {
    #expect(ShellWord.quoting("a\0b\0") == "ab")
    #expect(ShellWord.quoting("\0") == "''")
    #expect(ShellWord.quoting("a\0'\0b") == #"'a'\''b'"#)
  }

  @Test func `words that need no quotes have none`() {
    #expect(ShellWord.quoting("/opt/a_b-c/x@y%z+1=2:3,4.5") == "/opt/a_b-c/x@y%z+1=2:3,4.5")
    #expect(ShellWord.line(["echo", "a b", ""]) == "echo 'a b' ''")
  }

  /// The shell prints each word as it got it, with a NUL after it.
  private func expectRoundTrip(_ words: [String]) async throws {
    let command = RemoteCommand(
      "printf '%s\\0' \(ShellWord.line(words))",
      timeout: .seconds(10)
    )

    let result = try await LocalHost().run(command)

    let bytes = words.flatMap { Array("\($0)\0".utf8) }
    #expect(result == CommandResult(termination: .exited(0), output: bytes))
  }
}
