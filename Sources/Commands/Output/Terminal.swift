import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// What the two output streams can show. stdout is for results, stderr for progress and questions.
struct Terminal: Sendable {
  /// Live lines and questions make sense.
  let isInteractive: Bool
  let hasColour: Bool
  let columns: Int

  /// Reads the environment once: whether stderr is a terminal, `NO_COLOR` (no-color.org), `TERM`.
  static func current(environment: [String: String]) -> Terminal {
    let isTerminal = isatty(STDERR_FILENO) == 1 && environment["TERM"] != "dumb"
    var size = winsize()
    let hasSize = ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0
    return Terminal(
      isInteractive: isTerminal,
      hasColour: isTerminal && (environment["NO_COLOR"] ?? "").isEmpty,
      columns: hasSize ? Int(size.ws_col) : 80
    )
  }

  /// What was typed before a question was seen is no answer to it.
  func forgetTyped() { tcflush(STDIN_FILENO, TCIFLUSH) }

  /// Whether a question can be answered: stdin is a terminal too.
  var canAsk: Bool { isInteractive && isatty(STDIN_FILENO) == 1 }

  func coloured(_ text: String, _ colour: Colour) -> String {
    hasColour ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }

  enum Colour: Int {
    case red = 31
    case green = 32
    case yellow = 33
    case dim = 2
    case bold = 1
  }
}

/// Text to one of the two streams, whole or not at all cut by others.
enum Stream {
  case standardOutput
  case standardError

  func write(_ text: String) {
    let descriptor: FileDescriptor = self == .standardOutput ? .standardOutput : .standardError
    do {
      try descriptor.writeAll(text.utf8)
    } catch {
      // Ignored: nobody is left to read it, and there is nowhere else to say so.
    }
  }

  func line(_ text: String = "") {
    write(text + "\n")
  }
}
