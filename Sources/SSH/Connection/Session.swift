import CLibSSH2
import COpenSSL
import Remote

/// One libssh2 session on its socket, non-blocking. Every call waits by polling, so that a deadline,
/// an interruption or a machine that fell silent ends it.
///
/// Must be given up with `close` or `abandon`; libssh2 is set up once, before the first one.
///
/// `@unchecked Sendable`: libssh2 ties a session to no thread, only to one caller at a time, and of
/// what cannot be copied there is only one.
struct Session: ~Copyable, @unchecked Sendable {
  let raw: OpaquePointer
  private let socket: TCPSocket
  private let interruption: Interruption
  private let keepAlive: KeepAlive
  /// Nil before the login, when only the deadline counts: a server that has yet to let us in owes no
  /// sign of life.
  private var lastHeard: ContinuousClock.Instant?

  /// How often to ask a silent machine for a sign of life, and when to stop asking.
  struct KeepAlive {
    var interval: Duration
    var limit: Int
  }

  init(
    on socket: consuming TCPSocket,
    interruption: Interruption,
    keepAlive: KeepAlive
  ) throws(RemoteError) {
    precondition(Self.librarySetUp == 0, "libssh2_init failed")
    guard let raw = libssh2_session_init_ex(nil, nil, nil, nil) else {
      throw RemoteError(.connectionLost, detail: "libssh2 has no memory for a session")
    }
    libssh2_session_set_blocking(raw, 0)
    self.raw = raw
    self.socket = socket
    self.interruption = interruption
    self.keepAlive = keepAlive
  }

  /// The server said which SSH it speaks; before that it may simply have too many callers.
  var hasBanner: Bool {
    // sshd's "Exceeded MaxStartups" is kept here too.
    guard let banner = libssh2_session_banner_get(raw) else { return false }
    return String(cString: banner).hasPrefix("SSH-")
  }

  /// Exchanges keys.
  ///
  /// - Parameter keyTypes: the types of host keys to ask for first, before all others that libssh2
  ///   knows.
  /// - Returns: the key the server proved to have. Nothing says yet whose key that is.
  mutating func shakeHands(
    preferring keyTypes: [String],
    by deadline: Deadline
  ) throws(RemoteError) -> HostKey {
    prefer(keyTypes)
    // When to ask is decided in `wait`; libssh2 is left to hold back no more than it must, 2 s.
    libssh2_keepalive_config(raw, 1, 2)
    let descriptor = socket.descriptor
    try complete(by: deadline) { raw in
      Progress(libssh2_session_handshake(raw, descriptor), of: raw)
    }
    var length = 0
    var type: Int32 = 0
    guard let blob = libssh2_session_hostkey(raw, &length, &type) else {
      throw RemoteError(.connectionLost, detail: "the server showed no host key")
    }
    return HostKey(blob: Array(UnsafeRawBufferPointer(start: blob, count: length)))
  }

  /// Repeats `attempt` until it is complete.
  mutating func complete<Value>(
    by deadline: Deadline,
    _ attempt: (OpaquePointer) -> Progress<Value>
  ) throws(RemoteError) -> Value {
    switch try result(by: deadline, attempt) {
    case .success(let value): return value
    case .failure(let failure): throw failure.remoteError
    }
  }

  /// Repeats `attempt` until it is complete or has failed; for callers who know what to make of a
  /// failure.
  mutating func result<Value>(
    by deadline: Deadline,
    _ attempt: (OpaquePointer) -> Progress<Value>
  ) throws(RemoteError) -> Result<Value, LibraryFailure> {
    while true {
      switch attempt(raw) {
      case .complete(let value): return .success(value)
      case .failed(let failure): return .failure(failure)
      case .wouldBlock: try wait(until: deadline)
      }
    }
  }

  /// Waits until there is something to read, or room for what libssh2 has to send.
  ///
  /// - Throws: `.timedOut` at the deadline, `.connectionLost` when the machine gave no sign of life
  ///   for too long, `.closed` when interrupted.
  mutating func wait(until deadline: Deadline) throws(RemoteError) {
    socket.acknowledgeAtOnce()
    let wanted: Readiness = isSending ? [.input, .output] : [.input]
    while true {
      guard !deadline.hasPassed else {
        throw RemoteError(.timedOut, detail: "no answer in time")
      }
      let readiness = try Readiness.wait(
        for: wanted,
        of: socket.descriptor,
        or: interruption,
        atMost: min(deadline.remaining, keepAlive.interval)
      )
      if readiness.contains(.input), lastHeard != nil { lastHeard = .now }
      guard readiness.isEmpty else { return }
      try askForSignOfLife()
    }
  }

  /// From now on a machine that is silent for too long is lost. To be said at the start of each
  /// command, since nobody listens between two.
  mutating func expectSignsOfLife() {
    lastHeard = .now
  }

  /// A packet is half sent. Until it is out, only the call that began it may go on: libssh2 refuses
  /// every other that has something to send (transport.c, `send_existing`).
  var isSending: Bool {
    libssh2_session_block_directions(raw) & LIBSSH2_SESSION_BLOCK_OUTBOUND != 0
  }

  /// Takes leave of the server, as far as that goes without waiting.
  consuming func close() {
    // Ignored: the socket is closed right after, with or without the server's knowing why.
    _ = libssh2_session_disconnect_ex(raw, SSH_DISCONNECT_BY_APPLICATION, "bye", "")
    abandon()
  }

  /// Ends the session and everything in it at once.
  consuming func abandon() {
    // With the socket shut down nothing in libssh2 can want to wait any more.
    socket.shutDown()
    var attempts = 0
    while libssh2_session_free(raw) == LIBSSH2_ERROR_EAGAIN {
      attempts += 1
      precondition(attempts < 1000, "libssh2 cannot let go of a session whose socket is shut down")
    }
    isFreed = true
  }

  private var isFreed = false

  deinit {
    assert(isFreed, "an SSH session was dropped without being closed")
  }
}

extension Session {
  private static let librarySetUp: Int32 = {
    duplex_openssl_begin()
    return libssh2_init(0)
  }()

  private static let hostKeyTypes = [
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa",
  ]

  private func prefer(_ keyTypes: [String]) {
    let known = keyTypes.filter(Self.hostKeyTypes.contains)
    let others = Self.hostKeyTypes.filter { !known.contains($0) }
    let list = (known + others).joined(separator: ",")
    let result = libssh2_session_method_pref(raw, LIBSSH2_METHOD_HOSTKEY, list)
    precondition(result == 0, "libssh2 refused its own host key types: \(result)")
  }

  private mutating func askForSignOfLife() throws(RemoteError) {
    guard let lastHeard else { return }
    let silence = lastHeard.duration(to: .now)
    guard silence < keepAlive.interval * keepAlive.limit else {
      throw RemoteError(
        .connectionLost,
        detail: "no sign of life for \(silence.components.seconds) s"
      )
    }
    guard silence >= keepAlive.interval, !isSending else { return }
    var secondsToNext: Int32 = 0
    // Ignored: if it cannot be sent, nothing is heard either, and the limit above ends the wait.
    _ = libssh2_keepalive_send(raw, &secondsToNext)
  }
}
