/// A machine that can be spoken to. One conversation at a time: callers that want two things at
/// once from one machine open two.
package protocol RemoteHost: Sendable {
  /// Runs a command to its end and returns all it said.
  ///
  /// - Throws: when no answer can be had: the machine is out of reach, the connection was lost, or
  ///   `command.timeout` passed. What the command did by then is unknown.
  func run(_ command: RemoteCommand) async throws(RemoteError) -> CommandResult

  /// Ends the conversation. Further calls of `run` throw.
  func close() async
}

/// Why a machine gave no answer. Doubt about a machine is an error; a bad answer is not.
package struct RemoteError: Error, Sendable, Hashable {
  package var code: Code
  /// What was seen, in the words of the layer that saw it ("Connection refused", libssh2's text).
  package var detail: String

  package init(_ code: Code, detail: String) {
    self.code = code
    self.detail = detail
  }

  package enum Code: Sendable, Hashable {
    case nameNotResolved
    case unreachable
    /// No key exchange, cipher, MAC or host key algorithm in common.
    case noCommonAlgorithm
    /// known_hosts has no key for this machine; the key it showed, as `ssh-keygen -l` prints it.
    case hostKeyUnknown(fingerprint: String)
    /// known_hosts has another key for this machine, at `line` of `file`.
    case hostKeyChanged(fingerprint: String, file: String, line: Int)
    /// The key is marked `@revoked` at `line` of `file`.
    case hostKeyRevoked(fingerprint: String, file: String, line: Int)
    /// Only a `@cert-authority` line would cover this machine, which is not supported.
    case hostCertificatesUnsupported(file: String, line: Int)
    case authenticationFailed
    case timedOut
    case connectionLost
    case closed
  }
}
