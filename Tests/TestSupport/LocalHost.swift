import Foundation
package import Remote

/// This machine: runs commands for real by `/bin/sh -c`, as the user that runs the tests, whatever
/// the command's privilege. Only for commands whose every path leads into a folder of the test's.
package struct LocalHost: RemoteHost {
  package init() {}

  package func run(_ command: RemoteCommand) async throws(RemoteError) -> CommandResult {
    do {
      return try await Self.run(command)
    } catch let error as RemoteError {
      throw error
    } catch {
      throw RemoteError(.connectionLost, detail: "\(error)")
    }
  }

  package func close() async {}

  private static func run(_ command: RemoteCommand) async throws -> CommandResult {
    // Files, not pipes: what the command leaves running may hold them open, and they never fill up.
    let folder = try TemporaryFolder()
    let input = try folder.write(command.input.bytes, to: "input")
    let output = try folder.write([], to: "output")
    let errors = try folder.write([], to: "errors")

    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = ["-c", command.script]
    process.standardInput = try FileHandle(forReadingFrom: URL(fileURLWithPath: input))
    process.standardOutput = try FileHandle(forWritingTo: URL(fileURLWithPath: output))
    process.standardError = try FileHandle(forWritingTo: URL(fileURLWithPath: errors))
    try process.run()
    try await wait(for: process, until: .now + command.timeout)
    return CommandResult(
      termination: termination(of: process),
      output: try folder.read("output"),
      errors: try folder.read("errors")
    )
  }

  private static func wait(for process: Process, until end: ContinuousClock.Instant) async throws {
    while process.isRunning {
      guard ContinuousClock.now < end else {
        process.terminate()
        throw RemoteError(.timedOut, detail: "the command was still running")
      }
      try await Task.sleep(for: .milliseconds(2))
    }
  }

  private static func termination(of process: Process) -> CommandResult.Termination {
    guard process.terminationReason == .uncaughtSignal else {
      return .exited(process.terminationStatus)
    }
    let names: [Int32: String] = [
      SIGHUP: "HUP", SIGINT: "INT", SIGKILL: "KILL", SIGPIPE: "PIPE", SIGSEGV: "SEGV",
      SIGTERM: "TERM",
    ]
    return .signalled(names[process.terminationStatus] ?? "\(process.terminationStatus)")
  }
}
