import Remote

extension Session {
  /// libssh2 sends a request as one packet, and refuses one of more than 35,000 bytes.
  static let longestLine = 34_000

  /// Runs one command line in a channel of its own. After an error the session must be abandoned.
  mutating func execute(
    _ line: String,
    input: [UInt8],
    by deadline: Deadline
  ) throws(RemoteError) -> CommandResult {
    guard line.utf8.count <= Self.longestLine else {
      throw RemoteError(
        .connectionLost,
        detail: "a command line of \(line.utf8.count) bytes does not fit into one SSH packet;"
          + " what is long has to go in as the command's input"
      )
    }
    expectSignsOfLife()
    let raw = try complete(by: deadline, Channel.opening)
    let channel = Channel(raw: raw, session: self.raw)
    let result: CommandResult
    do throws(RemoteError) {
      try complete(by: deadline) { _ in channel.execute(line) }
      result = try Exchange().run(channel, in: &self, input: input, by: deadline)
    } catch {
      channel.abandon()
      throw error
    }
    try channel.close(in: &self, by: deadline)
    return result
  }
}
