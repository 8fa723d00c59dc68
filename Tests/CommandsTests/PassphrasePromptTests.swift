import Glibc
import Remote
import SSH
import SystemPackage
import Testing

@testable import Commands

/// Questions on a terminal: a pseudo-terminal whose other end the test holds. One after another, as
/// the program has only one terminal, too.
@Suite(.serialized) struct PassphrasePromptTests {
  @Test func `the answer is returned, not shown, and the terminal is as before`() async throws {
    let terminal = try PseudoTerminal()
    let prompt = PassphrasePrompt(terminal: terminal.path)
    let before = terminal.echoes

    async let answer = prompt.passphrase(for: KeyFile(path: "/keys/id_ed25519"))
    try await terminal.expect("Passphrase for /keys/id_ed25519: ")
    let during = terminal.echoes
    try terminal.type("correct horse\n")

    #expect(await answer?.withExposedBytes(\.self) == Array("correct horse".utf8))
    #expect([before, during, terminal.echoes] == [true, false, true])
    #expect(try terminal.rest() == "\r\n")
  }

  @Test func `one answer serves every machine that asks for the same key file`() async throws {
    let terminal = try PseudoTerminal()
    let prompt = PassphrasePrompt(terminal: terminal.path)
    let file = KeyFile(path: "/keys/id_ed25519")

    async let first = prompt.passphrase(for: file)
    try await terminal.expect("Passphrase for /keys/id_ed25519: ")
    async let second = prompt.passphrase(for: file)
    try terminal.type("secret\n")
    let answers = await [first, second].map { $0?.withExposedBytes(\.self) }

    #expect(answers == [Array("secret".utf8), Array("secret".utf8)])
    #expect(try terminal.rest() == "\r\n")
  }

  @Test func `a wrong answer is asked for again`() async throws {
    let terminal = try PseudoTerminal()
    let prompt = PassphrasePrompt(terminal: terminal.path)

    async let first = prompt.passphrase(for: KeyFile(path: "/k", attempt: 1))
    try await terminal.expect("Passphrase for /k: ")
    try terminal.type("wrong\n")
    _ = await first
    async let second = prompt.passphrase(for: KeyFile(path: "/k", attempt: 2))
    try await terminal.expect("Wrong passphrase. Passphrase for /k: ")
    try terminal.type("right\n")

    #expect(await second?.withExposedBytes(\.self) == Array("right".utf8))
  }

  @Test func `an empty answer is none, and the question is not repeated`() async throws {
    let terminal = try PseudoTerminal()
    let prompt = PassphrasePrompt(terminal: terminal.path)
    let file = KeyFile(path: "/k")

    async let first = prompt.passphrase(for: file)
    try await terminal.expect("Passphrase for /k: ")
    try terminal.type("\n")
    let answers = await [first, prompt.passphrase(for: file)]

    #expect(answers.allSatisfy { $0 == nil })
  }

  @Test func `a signal ends the question and the terminal shows what is typed again`()
    async throws
  {
    let terminal = try PseudoTerminal()
    let prompt = PassphrasePrompt(terminal: terminal.path)
    // Raised again after the question, it would end the tests.
    let before = signal(SIGTERM, SIG_IGN)
    defer { signal(SIGTERM, before) }

    async let answer = prompt.passphrase(for: KeyFile(path: "/k"))
    try await terminal.expect("Passphrase for /k: ")
    kill(getpid(), SIGTERM)

    #expect(await answer?.withExposedBytes(\.self) == nil)
    #expect(terminal.echoes)
  }

  @Test func `where there is no terminal there is no answer`() async {
    let prompt = PassphrasePrompt(terminal: "/nonexistent/tty")

    let answer = await prompt.passphrase(for: KeyFile(path: "/k"))

    #expect(answer == nil)
  }
}

/// The keyboard's and screen's end of a terminal.
private final class PseudoTerminal: Sendable {
  struct Unexpected: Error { var seen: String }

  let path: FilePath
  private let keyboard: FileDescriptor
  /// Kept open, so that the terminal outlives each question.
  private let screen: FileDescriptor

  init() throws {
    var ends: (keyboard: Int32, screen: Int32) = (-1, -1)
    var name = [CChar](repeating: 0, count: 128)
    guard openpty(&ends.keyboard, &ends.screen, &name, nil, nil) == 0 else {
      throw Errno(rawValue: errno)
    }
    keyboard = FileDescriptor(rawValue: ends.keyboard)
    screen = FileDescriptor(rawValue: ends.screen)
    path = FilePath(platformString: name)
  }

  /// Whether what is typed now would be shown.
  var echoes: Bool {
    var settings = termios()
    tcgetattr(screen.rawValue, &settings)
    return settings.c_lflag & tcflag_t(ECHO) != 0
  }

  func type(_ text: String) throws {
    _ = try keyboard.writeAll(text.utf8)
  }

  /// Waits for exactly this text on the screen, line ends apart; half a minute at most: all the tests share few threads.
  func expect(_ text: String) async throws {
    var seen = ""
    let deadline = ContinuousClock.now + .seconds(30)
    while ContinuousClock.now < deadline {
      seen += try rest(waiting: 0)
      if seen.filter({ !$0.isNewline }) == text { return }
      // The question may be waiting for this very thread.
      try await Task.sleep(for: .milliseconds(5))
    }
    try type("\n")
    throw Unexpected(seen: seen)
  }

  /// What is on the screen and has not been looked at.
  func rest() throws -> String { try rest(waiting: 50) }

  private func rest(waiting milliseconds: Int32) throws -> String {
    var bytes: [UInt8] = []
    var polled = pollfd(fd: keyboard.rawValue, events: Int16(POLLIN), revents: 0)
    while poll(&polled, 1, milliseconds) > 0 {
      var buffer = [UInt8](repeating: 0, count: 4096)
      let count = try buffer.withUnsafeMutableBytes { try keyboard.read(into: $0) }
      bytes.append(contentsOf: buffer[..<count])
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  deinit {
    for end in [screen, keyboard] {
      do {
        try end.close()
      } catch {
        // Ignored: nothing is left to be read or written.
      }
    }
  }
}
