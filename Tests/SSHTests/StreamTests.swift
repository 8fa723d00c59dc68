import Glibc
import Remote
import Testing

@testable import SSH

/// Streams, time and lost connections, against a real sshd.
struct StreamTests {
  @Test func `four megabytes of errors come through while the output is silent`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()

      let result = try await connection.run(
        RemoteCommand(
          "head -c 4194304 /dev/zero >&2",
          privilege: .login,
          timeout: .seconds(20)
        )
      )

      #expect(result.termination == .exited(0))
      #expect(result.output.isEmpty)
      #expect(result.errors.count == 4_194_304)
      await connection.close()
    }
  }

  @Test func `twenty megabytes go in and come back at the same time`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()
      let bytes = pattern(count: 20 << 20)

      let result = try await connection.run(
        RemoteCommand(
          "cat",
          input: .bytes(bytes, description: "a pattern"),
          privilege: .login,
          timeout: .seconds(60)
        )
      )

      #expect(result.termination == .exited(0))
      #expect(result.output == bytes)
      await connection.close()
    }
  }

  @Test func `a command that does not read its input ends when it ends`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()

      let result = try await connection.run(
        RemoteCommand(
          "exit 3",
          input: .bytes(pattern(count: 20 << 20), description: "a pattern"),
          privilege: .login,
          timeout: .seconds(20)
        )
      )

      #expect(result == CommandResult(termination: .exited(3)))
      await connection.close()
    }
  }

  @Test func `a command that closes its output early still gets its input and its say`()
    async throws
  {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()
      let file = server.path("received")

      let result = try await connection.run(
        RemoteCommand(
          "exec >&- 2>&-; cat > \(file); exit 5",
          input: .bytes(pattern(count: 8 << 20), description: "a pattern"),
          privilege: .login,
          timeout: .seconds(20)
        )
      )

      #expect(result == CommandResult(termination: .exited(5)))
      #expect(try Shell.run("stat -c %s \(file)") == "\(8 << 20)")
      await connection.close()
    }
  }

  @Test func `a command that takes too long is given up and the connection with it`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()

      let late = await #expect(throws: RemoteError.self) {
        try await connection.run(
          RemoteCommand("exec sleep 5", privilege: .login, timeout: .milliseconds(300))
        )
      }
      let after = await #expect(throws: RemoteError.self) {
        try await connection.run(RemoteCommand("true", privilege: .login, timeout: .seconds(1)))
      }

      #expect(late?.code == .timedOut)
      #expect(after?.code == .closed)
    }
  }

  @Test func `a background process that keeps the output holds the call until its timeout`()
    async throws
  {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()

      let error = await #expect(throws: RemoteError.self) {
        try await connection.run(
          RemoteCommand("sleep 2 & true", privilege: .login, timeout: .milliseconds(500))
        )
      }

      #expect(error?.code == .timedOut)
    }
  }

  @Test func `cancelling the task closes the connection at once`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()
      let start = ContinuousClock.now

      let error = await #expect(throws: RemoteError.self) {
        try await withThrowingTaskGroup(of: CommandResult.self) { group in
          group.addTask {
            try await connection.run(
              RemoteCommand("exec sleep 5", privilege: .login, timeout: .seconds(10))
            )
          }
          group.cancelAll()
          return try await group.next()
        }
      }

      #expect(error?.code == .closed)
      #expect(start.duration(to: .now) < .seconds(3))
    }
  }

  @Test func `a server process that is killed is a lost connection`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect()

      // $PPID is the login shell's parent where the shell replaced itself with the script's: sshd.
      let error = await #expect(throws: RemoteError.self) {
        try await connection.run(
          RemoteCommand("kill -KILL $PPID; exec sleep 5", privilege: .login, timeout: .seconds(10))
        )
      }

      #expect(error?.code == .connectionLost)
    }
  }

  @Test func `a server that falls silent is noticed long before the command's timeout`()
    async throws
  {
    try await withPrivateSSHD { server in
      var destination = server.destination()
      destination.keepAliveInterval = .seconds(2)
      destination.keepAliveLimit = 2
      let connection = try await server.connect(to: destination)
      let parent = try await connection.run(
        RemoteCommand("printf $PPID", privilege: .login, timeout: .seconds(5))
      )
      let start = ContinuousClock.now

      // Stopped, it answers nothing while its kernel goes on acknowledging.
      let error = await #expect(throws: RemoteError.self) {
        try await connection.run(
          RemoteCommand(
            "kill -STOP $PPID; exec sleep 15",
            privilege: .login,
            timeout: .seconds(20)
          )
        )
      }

      #expect(error?.code == .connectionLost)
      #expect(start.duration(to: .now) < .seconds(12))
      Shell.ignoringFailure("kill -KILL \(parent.text)")
    }
  }

  @Test func `keep-alive carries a quiet command through many intervals`() async throws {
    try await withPrivateSSHD { server in
      var destination = server.destination()
      destination.keepAliveInterval = .seconds(2)
      destination.keepAliveLimit = 2
      let connection = try await server.connect(to: destination)

      let result = try await connection.run(
        RemoteCommand("sleep 7; echo still here", privilege: .login, timeout: .seconds(20))
      )

      #expect(result.text == "still here\n")
      await connection.close()
    }
  }

  @Test func `twelve connections at once each get their own answers`() async throws {
    // MaxStartups would drop some of twelve: that they all get through shows the retry.
    try await withPrivateSSHD(configuration: "MaxStartups 3:100:100") { server in
      try await withThrowingTaskGroup(of: (Int, CommandResult).self) { group in
        for number in 0..<12 {
          group.addTask {
            let connection = try await server.connect()
            let result = try await connection.run(
              RemoteCommand("printf \(number)", privilege: .login, timeout: .seconds(10))
            )
            await connection.close()
            return (number, result)
          }
        }
        for try await (number, result) in group {
          #expect(result == CommandResult(termination: .exited(0), output: Array("\(number)".utf8)))
        }
      }
    }
  }

  private func pattern(count: Int) -> [UInt8] {
    [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
      var state: UInt32 = 1
      for index in 0..<count {
        state = state &* 1_664_525 &+ 1_013_904_223
        buffer.initializeElement(at: index, to: UInt8(truncatingIfNeeded: state >> 24))
      }
      initialized = count
    }
  }
}
