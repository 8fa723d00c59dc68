import CLibSSH2
import Remote

/// One command's channel in a session. Given up with `close`, or with `abandon` when the session is
/// about to be: freeing the session frees its channels.
struct Channel: ~Copyable {
  private let raw: OpaquePointer
  private let session: OpaquePointer
  private var isGivenUp = false

  /// The two streams a command writes.
  enum Stream: Int32, CaseIterable {
    case output = 0
    case errors = 1
  }

  /// What the command may send before we have read it. At a round trip of 50 ms this allows 80 MB/s.
  private static let window: UInt32 = 4 << 20
  private static let packet: UInt32 = 32768

  /// Opens a channel in a session.
  static func opening(in session: OpaquePointer) -> Progress<OpaquePointer> {
    let kind = "session"
    let raw = libssh2_channel_open_ex(
      session,
      kind,
      UInt32(kind.utf8.count),
      window,
      packet,
      nil,
      0
    )
    if let raw { return .complete(raw) }
    let code = libssh2_session_last_errno(session)
    guard code != LIBSSH2_ERROR_EAGAIN else { return .wouldBlock }
    return .failed(LibraryFailure(code: code, session: session))
  }

  init(raw: OpaquePointer, session: OpaquePointer) {
    self.raw = raw
    self.session = session
  }

  /// Hands `line` to the user's login shell (RFC 4254 section 6.5).
  borrowing func execute(_ line: String) -> Progress<Void> {
    let request = "exec"
    return Progress(
      libssh2_channel_process_startup(
        raw,
        request,
        UInt32(request.utf8.count),
        line,
        UInt32(line.utf8.count)
      ),
      of: session
    )
  }

  /// Reads what has arrived on a stream. Complete with 0 at its end.
  borrowing func read(_ stream: Stream, into buffer: UnsafeMutableRawBufferPointer) -> Progress<Int>
  {
    let count = libssh2_channel_read_ex(
      raw,
      stream.rawValue,
      buffer.baseAddress?.assumingMemoryBound(to: CChar.self),
      buffer.count
    )
    return Progress(count: count, of: session)
  }

  /// Writes to the command's standard input. After `wouldBlock` it must be called again with the
  /// same bytes.
  borrowing func write(_ bytes: UnsafeRawBufferPointer) -> Progress<Int> {
    let count = libssh2_channel_write_ex(
      raw,
      0,
      bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
      bytes.count
    )
    return Progress(count: count, of: session)
  }

  /// Tells the command that its standard input ends here.
  borrowing func endInput() -> Progress<Void> {
    Progress(libssh2_channel_send_eof(raw), of: session)
  }

  /// Room in the other side's window.
  var canWrite: Bool { libssh2_channel_window_write_ex(raw, nil) > 0 }

  /// Both streams have ended.
  var hasEnded: Bool { libssh2_channel_eof(raw) == 1 }

  /// Waits for the server to close the channel; only then its exit status has surely arrived.
  borrowing func awaitClosing() -> Progress<Void> {
    Progress(libssh2_channel_wait_closed(raw), of: session)
  }

  /// How the command ended. To be asked once the server has closed the channel; nil when it did so
  /// without a word about the command.
  ///
  /// libssh2 reports exit status 0 for a command that a signal ended, so the signal goes first.
  var termination: CommandResult.Termination {
    var signal: UnsafeMutablePointer<CChar>?
    let result = libssh2_channel_get_exit_signal(raw, &signal, nil, nil, nil, nil, nil)
    if result == 0, let signal {
      defer { libssh2_free(session, signal) }
      return .signalled(String(cString: signal))
    }
    return .exited(libssh2_channel_get_exit_status(raw))
  }

  /// Sends our side's close and frees the channel.
  consuming func close(in session: inout Session, by deadline: Deadline) throws(RemoteError) {
    let raw = raw
    isGivenUp = true
    try session.complete(by: deadline) { session in
      Progress(libssh2_channel_free(raw), of: session)
    }
  }

  /// Leaves the channel to the session, which must be abandoned next.
  consuming func abandon() {
    isGivenUp = true
  }

  deinit {
    assert(isGivenUp, "an SSH channel was dropped without being closed")
  }
}
