// TestSupport: stand-ins for the world that fail the test by default.

package import Remote
package import Testing

/// A machine that knows which commands will come and what it answers to each. The first command it
/// was not told of fails the test, and from then on it answers nothing at all.
package actor ScriptedHost: RemoteHost {
  /// Every command that came, the unexpected one included.
  package private(set) var commands: [RemoteCommand] = []
  package private(set) var isClosed = false

  private let name: String
  private var script: Script
  private var isLost = false
  private let sourceLocation: SourceLocation

  /// A machine that expects exactly these commands in this order.
  package init(
    _ name: String = "host",
    expecting lines: [Line] = [],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    self.name = name
    self.script = .lines(lines[...])
    self.sourceLocation = sourceLocation
  }

  /// A machine that answers whatever `answer` has an answer to, in any order; nil: not told of.
  package init(
    _ name: String = "host",
    answering answer: @escaping @Sendable (RemoteCommand) -> Line.Answer?,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    self.name = name
    self.script = .answers(answer)
    self.sourceLocation = sourceLocation
  }

  package func run(_ command: RemoteCommand) async throws(RemoteError) -> CommandResult {
    commands.append(command)
    guard !isClosed, !isLost else {
      throw RemoteError(.closed, detail: "\(name) answers no more")
    }
    guard let answer = answer(to: command) else {
      isLost = true
      throw RemoteError(.closed, detail: "\(name) was not told of this command")
    }
    return try answer.get()
  }

  package func close() async {
    isClosed = true
  }

  /// Fails the test for each command that was expected and did not come.
  package func expectNothingLeft() {
    guard case .lines(let lines) = script, !isLost else { return }
    for line in lines {
      Issue.record(
        "\(name) was never asked to run:\n\(line.command.script)",
        sourceLocation: sourceLocation
      )
    }
  }

  /// A command and what is answered to it.
  package struct Line: Sendable {
    package typealias Answer = Result<CommandResult, RemoteError>

    package var command: RemoteCommand
    package var answer: Answer

    package init(_ command: RemoteCommand, _ answer: Answer) {
      self.command = command
      self.answer = answer
    }

    /// A command that exits with `status`, having said `output` and `errors`.
    package init(
      _ command: RemoteCommand,
      exits status: Int32 = 0,
      output: String = "",
      errors: String = ""
    ) {
      self.init(
        command,
        .success(
          CommandResult(
            termination: .exited(status),
            output: Array(output.utf8),
            errors: Array(errors.utf8)
          )
        )
      )
    }
  }

  private enum Script: Sendable {
    case lines(ArraySlice<Line>)
    case answers(@Sendable (RemoteCommand) -> Line.Answer?)
  }

  private func answer(to command: RemoteCommand) -> Line.Answer? {
    switch script {
    case .answers(let answer):
      if let answer = answer(command) { return answer }
      record("\(name) was not told of:\n\(command.script)")
      return nil
    case .lines(var lines):
      guard let line = lines.popFirst() else {
        record("\(name) expected nothing more, and was asked to run:\n\(command.script)")
        return nil
      }
      script = .lines(lines)
      guard line.command == command else {
        record("\(name) expected \(line.command), and was asked to run \(command)")
        return nil
      }
      return line.answer
    }
  }

  private func record(_ comment: Comment) {
    Issue.record(comment, sourceLocation: sourceLocation)
  }
}
