import Subprocess
import SystemPackage

/// Runs the machine's own tools.
enum Tool {
  /// What it printed on standard output.
  ///
  /// - Throws: `LabError` with what it complained of, where it exits non-zero.
  @discardableResult
  static func run(_ words: String...) async throws -> String {
    try await run(words)
  }

  @discardableResult
  static func run(_ words: [String]) async throws -> String {
    let result = try await attempt(words)
    guard result.succeeded else {
      throw LabError("`\(words.joined(separator: " "))` failed: \(result.errors)")
    }
    return result.output
  }

  /// As `run`, for what may fail: taking down what may not be there.
  static func attempt(_ words: [String]) async throws -> (
    succeeded: Bool, output: String, errors: String
  ) {
    let result = try await Subprocess.run(
      .name(words[0]),
      arguments: Arguments(Array(words.dropFirst())),
      input: .none,
      output: .string(limit: 1 << 24),
      error: .string(limit: 1 << 20)
    )
    return (
      result.terminationStatus.isSuccess, result.standardOutput, result.standardError
    )
  }

  /// Runs a program with this one's own streams, and gives its exit status.
  static func runInForeground(_ words: [String]) async throws -> Int32 {
    let result = try await Subprocess.run(
      .name(words[0]),
      arguments: Arguments(Array(words.dropFirst())),
      input: .fileDescriptor(.standardInput, closeAfterSpawningProcess: false),
      output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    )
    switch result.terminationStatus {
    case .exited(let status): return status
    case .signaled(let signal): return 128 + signal
    }
  }
}
