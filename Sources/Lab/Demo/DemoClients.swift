import Subprocess
import SystemPackage

/// Load generators in the background, until they are told to stop.
struct DemoClients: Sendable {
  private let tasks: [Task<Void, any Error>]
  private let stopping: [AsyncStream<Never>.Continuation]

  /// Starts each program with its arguments, its output going to a file.
  init(starting programs: [(program: FilePath, arguments: [String], output: String)]) {
    var tasks: [Task<Void, any Error>] = []
    var stopping: [AsyncStream<Never>.Continuation] = []
    for (program, arguments, output) in programs {
      let (stop, continuation) = AsyncStream.makeStream(of: Never.self)
      stopping.append(continuation)
      tasks.append(Task { try await Self.run(program, arguments, output, until: stop) })
    }
    self.tasks = tasks
    self.stopping = stopping
  }

  /// Asks them to finish what is in flight, and waits until they have written their reports.
  func stop() async {
    for continuation in stopping { continuation.finish() }
    for task in tasks { _ = await task.result }
  }

  private static func run(
    _ program: FilePath,
    _ arguments: [String],
    _ output: String,
    until stop: AsyncStream<Never>
  ) async throws {
    let file = try FileDescriptor.open(
      FilePath(output),
      .writeOnly,
      options: [.create, .truncate],
      permissions: [.ownerReadWrite]
    )
    _ = try await Subprocess.run(
      .path(program),
      arguments: Arguments(arguments),
      input: .none,
      output: .fileDescriptor(file, closeAfterSpawningProcess: true),
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    ) { execution in
      for await _ in stop {}
      try execution.send(signal: .terminate)
    }
  }
}
