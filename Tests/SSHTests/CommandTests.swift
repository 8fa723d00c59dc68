import Glibc
import Remote
import Testing

@testable import SSH

/// What comes back from commands, against a real sshd.
struct CommandTests {
  private func run(
    _ script: String,
    input: RemoteCommand.Input = .nothing,
    timeout: Duration = .seconds(20)
  ) async throws -> CommandResult {
    var result: CommandResult?
    try await withPrivateSSHD { server in
      let connection = try await server.connect()
      result = try await connection.run(
        RemoteCommand(script, input: input, privilege: .login, timeout: timeout)
      )
      await connection.close()
    }
    return try #require(result)
  }

  @Test func `a command's exit status and both its streams come back`() async throws {
    let result = try await run("printf out; printf err >&2; exit 7")

    #expect(
      result
        == CommandResult(
          termination: .exited(7),
          output: Array("out".utf8),
          errors: Array("err".utf8)
        )
    )
  }

  @Test func `a connection that is forgotten goes away by itself`() async throws {
    try await withPrivateSSHD { server in
      weak var forgotten: SSHConnection?
      do {
        let connection = try await server.connect()
        forgotten = connection
      }

      #expect(forgotten == nil)
    }
  }

  @Test func `a line that does not fit into a packet is refused in so many words`() async throws {
    let error = await #expect(throws: RemoteError.self) {
      _ = try await run("true " + String(repeating: "x", count: 40_000))
    }

    #expect(error?.detail.contains("has to go in as the command's input") == true)
  }

  @Test func `a line that just fits is run`() async throws {
    let result = try await run("printf %s " + String(repeating: "x", count: 33_900) + " | wc -c")

    #expect(result == CommandResult(termination: .exited(0), output: Array("33900\n".utf8)))
  }

  @Test func `a command that is not there exits with 127`() async throws {
    let result = try await run("no-such-command-here 2>/dev/null")

    #expect(result.termination == .exited(127))
  }

  @Test func `a command ended by a signal says which`() async throws {
    // The login shell must be replaced, or it reports 128 + 9 itself.
    let result = try await run("kill -KILL $$")

    #expect(result.termination == .signalled("KILL"))
  }
}
