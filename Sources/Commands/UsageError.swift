import ArgumentParser

/// What the operator wrote cannot be used: the inventory, the templates, a name. Exit status 64.
enum UsageError {
  /// Says why, and gives what is to be thrown.
  static func refusal(_ reason: String) -> ExitCode {
    Stream.standardError.line("error: \(reason)")
    return ExitCode(64)
  }

  /// Runs `body`; what it throws is printed as it describes itself, a line a problem.
  static func wrapping<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      return try body()
    } catch {
      Stream.standardError.line(
        String(describing: error).split(separator: "\n").map { "error: \($0)" }
          .joined(separator: "\n")
      )
      throw ExitCode(64)
    }
  }
}
