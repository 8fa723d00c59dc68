import Remote

/// One command's conversation: feeds its standard input and drains both its streams at the same
/// time, so that neither side ever waits for the other to read first.
struct Exchange: ~Copyable {
  private var output: [UInt8] = []
  private var errors: [UInt8] = []
  private var written = 0
  private var inputEnded = false
  /// The call that has a packet half sent, which must be let finish before any other.
  private var sender: Sender?

  private enum Sender { case writing, reading }

  /// Large enough for several packets a call.
  private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 16)

  deinit { buffer.deallocate() }

  /// Runs the conversation to its end: the server has closed the channel.
  consuming func run(
    _ channel: borrowing Channel,
    in session: inout Session,
    input: [UInt8],
    by deadline: Deadline
  ) throws(RemoteError) -> CommandResult {
    // One borrow for the whole conversation: libssh2 wants the same bytes again after "try again".
    let result: Result<Void, RemoteError> = input.withUnsafeBytes { input in
      do throws(RemoteError) {
        try converse(channel, in: &session, input: input, by: deadline)
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    try result.get()
    return CommandResult(termination: channel.termination, output: output, errors: errors)
  }
}

extension Exchange {
  private mutating func converse(
    _ channel: borrowing Channel,
    in session: inout Session,
    input: UnsafeRawBufferPointer,
    by deadline: Deadline
  ) throws(RemoteError) {
    while true {
      guard !deadline.hasPassed else {
        throw RemoteError(.timedOut, detail: "the command did not end in time")
      }
      var moved = false
      if sender != .reading {
        moved = try feed(input, to: channel, in: session)
      }
      if sender != .writing {
        for stream in Channel.Stream.allCases where try drain(stream, of: channel, in: session) {
          moved = true
        }
      }
      if sender == nil, channel.hasEnded, try isClosed(channel, in: session) { return }
      // Reading also takes in the server's window adjustments, so look before waiting.
      let canWrite = sender == nil && written < input.count && channel.canWrite
      if !moved && !canWrite { try session.wait(until: deadline) }
    }
  }

  /// Writes what the server has room for, and the end of the input after the last byte.
  private mutating func feed(
    _ input: UnsafeRawBufferPointer,
    to channel: borrowing Channel,
    in session: borrowing Session
  ) throws(RemoteError) -> Bool {
    guard !inputEnded else { return false }
    if written < input.count {
      let rest = UnsafeRawBufferPointer(rebasing: input[written...])
      guard let count = try settle(channel.write(rest), as: .writing, in: session) else {
        return false
      }
      written += count
    } else {
      guard try settle(channel.endInput(), as: .writing, in: session) != nil else { return false }
      inputEnded = true
    }
    return true
  }

  /// Reads what has arrived on one stream.
  private mutating func drain(
    _ stream: Channel.Stream,
    of channel: borrowing Channel,
    in session: borrowing Session
  ) throws(RemoteError) -> Bool {
    let reading = channel.read(stream, into: buffer)
    guard let count = try settle(reading, as: .reading, in: session), count > 0 else {
      return false
    }
    let bytes = UnsafeRawBufferPointer(rebasing: buffer[..<count])
    switch stream {
    case .output: output.append(contentsOf: bytes)
    case .errors: errors.append(contentsOf: bytes)
    }
    return true
  }

  /// A command may close its output early and still read its input, so the end of both streams is
  /// not the end of the command: the server's close is.
  private mutating func isClosed(
    _ channel: borrowing Channel,
    in session: borrowing Session
  ) throws(RemoteError) -> Bool {
    try settle(channel.awaitClosing(), as: .reading, in: session) != nil
  }

  /// The value of a completed call; nil where it has to be repeated, having noted whose turn it is.
  private mutating func settle<Value>(
    _ progress: Progress<Value>,
    as caller: Sender,
    in session: borrowing Session
  ) throws(RemoteError) -> Value? {
    switch progress {
    case .complete(let value):
      sender = nil
      return value
    case .wouldBlock:
      sender = session.isSending ? caller : nil
      return nil
    case .failed(let failure): throw failure.remoteError
    }
  }
}
