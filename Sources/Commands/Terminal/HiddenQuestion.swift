import Remote
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A question on the terminal whose answer is not shown.
///
/// Echo is off only while the answer is typed. Signals that would end or stop the program are held
/// meanwhile; one of them ends the question, and is raised once the terminal is as it was.
struct HiddenQuestion {
  var terminal: FilePath

  /// The answer without its line end; nil where there is no terminal, or the answer was empty or cut
  /// short.
  func ask(_ question: String) -> Secret? {
    let answer: Answer
    do {
      let file = try FileDescriptor.open(terminal, .readWrite, options: [.closeOnExec])
      answer = try file.closeAfter { try ask(question, on: file) }
    } catch {
      return nil
    }
    switch answer {
    case .line(let bytes): return bytes.isEmpty ? nil : Secret(bytes)
    case .ended: return nil
    case .interrupted(let signal):
      raise(signal)
      return nil
    }
  }
}

extension HiddenQuestion {
  private enum Answer {
    case line([UInt8])
    case ended
    case interrupted(Int32)
  }

  private func ask(_ question: String, on file: FileDescriptor) throws -> Answer {
    var before = termios()
    guard tcgetattr(file.rawValue, &before) == 0 else { throw Errno(rawValue: errno) }
    let signals = try HeldSignals()
    let result = Result {
      var hidden = before
      hidden.c_lflag &= ~tcflag_t(ECHO)
      hidden.c_lflag |= tcflag_t(ECHONL | ICANON | ISIG)
      guard tcsetattr(file.rawValue, TCSAFLUSH, &hidden) == 0 else { throw Errno(rawValue: errno) }
      _ = try file.writeAll(question.utf8)
      return try answer(from: file, or: signals)
    }
    tcsetattr(file.rawValue, TCSAFLUSH, &before)
    signals.release()
    return try result.get()
  }

  /// The terminal gives out whole lines, and does the correcting itself.
  private func answer(
    from file: FileDescriptor,
    or signals: borrowing HeldSignals
  ) throws -> Answer {
    if let signal = try signals.waitForInput(on: file) {
      _ = try file.writeAll("\n".utf8)
      return .interrupted(signal)
    }
    var buffer = [UInt8](repeating: 0, count: 4096)
    let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
    guard count > 0, buffer[count - 1] == UInt8(ascii: "\n") else { return .ended }
    return .line(Array(buffer[..<(count - 1)]))
  }
}
