// SSH: one connection to one machine, and everything that decides whether to trust it. Only here
// is libssh2 called, and only here is known_hosts read. What commands mean, when to retry them and
// how errors are worded for the operator is other rooms' business. Nothing is ever written to disk.

package import Logging
package import Remote

/// A machine spoken to over SSH (RFC 4254 "session" channels, one after another).
///
/// The actor lives on a thread of its own, since libssh2 is driven by waiting for the socket there.
/// Nothing inside one libssh2 operation awaits, so operations never interleave.
package actor SSHConnection: RemoteHost {
  let destination: SSHDestination
  let logger: Logger
  let interruption: Interruption
  /// Nil before the handshake and once the connection has ended.
  var session: Session?
  private let thread: ConnectionThread

  package nonisolated var unownedExecutor: UnownedSerialExecutor {
    thread.asUnownedSerialExecutor()
  }

  /// Connects, checks the host key, and logs in.
  ///
  /// - Parameter passphrase: asked for each encrypted key file that the server would accept, up to
  ///   three times; nil passes the key over.
  /// - Throws: as the codes of `RemoteError` say. A connection dropped by a server that has too
  ///   many unauthenticated callers (sshd's MaxStartups) is tried again within the connect timeout;
  ///   nothing else is. Cancelling the task throws `.closed`.
  package static func connect(
    to destination: SSHDestination,
    passphrase: @escaping PassphraseSource,
    logger: Logger
  ) async throws(RemoteError) -> SSHConnection {
    let connection = try SSHConnection(to: destination, logger: logger)
    try await connection.interruptible { isolated in
      await isolated.open(passphrase)
    }.get()
    return connection
  }

  private init(to destination: SSHDestination, logger: Logger) throws(RemoteError) {
    self.destination = destination
    self.logger = logger
    do {
      interruption = try Interruption()
    } catch {
      throw RemoteError(.unreachable, detail: "no pipe to be had on this machine: \(error)")
    }
    thread = ConnectionThread()
  }

  /// As `RemoteHost` promises; besides:
  ///
  /// - `command.timeout` counts from the call. When it passes, and after any other error, the
  ///   connection is closed; the server then sends SIGHUP to no one: what the command started may
  ///   go on.
  /// - A command has ended when its output has: a process left in the background must not keep
  ///   standard output or standard error, or the call waits for that process too.
  /// - Cancelling the calling task closes the connection at once and throws `.closed`.
  package func run(_ command: RemoteCommand) async throws(RemoteError) -> CommandResult {
    try await interruptible { isolated in isolated.converse(command) }.get()
  }

  package func close() {
    session.take()?.close()
  }

  deinit {
    if let session = session.take() {
      logger.warning("the connection was dropped without being closed")
      session.abandon()
    }
    thread.stop()
  }
}

extension SSHConnection {
  /// Runs `body` so that cancelling the task ends every wait in it.
  private nonisolated func interruptible<Value: Sendable>(
    _ body: @Sendable (isolated SSHConnection) async -> Result<Value, RemoteError>
  ) async -> Result<Value, RemoteError> {
    await withTaskCancellationHandler {
      await body(self)
    } onCancel: {
      interruption.interrupt()
    }
  }

  private func converse(_ command: RemoteCommand) -> Result<CommandResult, RemoteError> {
    let deadline = Deadline.after(command.timeout)
    let line = command.line(elevation: destination.elevation)
    guard session != nil else {
      return .failure(RemoteError(.closed, detail: "the connection was closed before"))
    }
    do throws(RemoteError) {
      return .success(
        try session!.execute(line, input: command.input.bytes, by: deadline)
      )
    } catch {
      session.take()?.abandon()
      return .failure(error)
    }
  }

  private func open(_ passphrase: @escaping PassphraseSource) async -> Result<Void, RemoteError> {
    do throws(RemoteError) {
      var deadline = Deadline.after(destination.connectTimeout)
      try shakeHands(by: deadline)
      try await authenticate(asking: passphrase, by: &deadline)
      return .success(())
    } catch {
      session.take()?.abandon()
      return .failure(error)
    }
  }
}
