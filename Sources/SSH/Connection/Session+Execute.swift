import Remote

extension Session {
  /// Runs one command line in a channel of its own. After an error the session must be abandoned.
  mutating func execute(
    _ line: String,
    input: [UInt8],
    by deadline: Deadline
  ) throws(RemoteError) -> CommandResult {
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
