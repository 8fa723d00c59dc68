/// What a machine answered to a command. A non-zero exit is an answer, not an error.
package struct CommandResult: Sendable, Hashable {
  package var termination: Termination
  /// Standard output, whole.
  package var output: [UInt8]
  /// Standard error, whole.
  package var errors: [UInt8]

  package init(termination: Termination, output: [UInt8] = [], errors: [UInt8] = []) {
    self.termination = termination
    self.output = output
    self.errors = errors
  }

  package enum Termination: Sendable, Hashable {
    case exited(Int32)
    /// Ended by a signal, named as RFC 4254 section 6.10 names it: without "SIG".
    case signalled(String)
  }

  package var succeeded: Bool { termination == .exited(0) }
  /// Standard output as text; bytes that are not UTF-8 become U+FFFD.
  package var text: String { String(decoding: output, as: UTF8.self) }
  /// Standard error as text; bytes that are not UTF-8 become U+FFFD.
  package var errorText: String { String(decoding: errors, as: UTF8.self) }
}
