import Remote
import SSH
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Asks the person at the terminal for the passphrases of key files: one question at a time, however
/// many machines are being connected to, and one question only for each key file.
actor PassphrasePrompt {
  private let terminal: FilePath
  /// Right or wrong: a machine that finds an answer wrong asks again with a higher attempt.
  private var answers: [FilePath: Answer] = [:]

  private struct Answer {
    var attempt: Int
    /// Nil: the person gave none, and will not be asked again.
    var passphrase: Secret?
  }

  /// - Parameter terminal: where to ask, whatever standard input and output are.
  init(terminal: FilePath = "/dev/tty") {
    self.terminal = terminal
  }

  /// The passphrase of `file`, asked for if nobody has asked yet or the last answer was wrong. Nil
  /// where there is no terminal, or nothing was typed.
  ///
  /// Blocks this actor while the person types, so that two questions never share the terminal.
  func passphrase(for file: KeyFile) -> Secret? {
    if let known = answers[file.path], known.passphrase == nil || known.attempt >= file.attempt {
      return known.passphrase
    }
    let again = file.attempt > 1 ? "Wrong passphrase. " : ""
    let passphrase = HiddenQuestion(terminal: terminal).ask(
      "\(again)Passphrase for \(file.path): "
    )
    answers[file.path] = Answer(attempt: file.attempt, passphrase: passphrase)
    return passphrase
  }
}
