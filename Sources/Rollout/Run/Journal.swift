package import Fleet

/// Where a run writes down what it intends, did and saw.
package protocol Journal: Sendable {
  /// Writes one record. What it returned for survives a crash of the program; with `durably`, a
  /// power cut as well.
  func append(_ record: JournalRecord, durably: Bool) async throws
}

/// One line of a journal.
package enum JournalRecord: Sendable, Hashable, Codable {
  /// Who began the run, by what command line, with which duplexctl.
  case begun(by: String, command: [String], version: String)
  /// The plan, step by step, before anything is done.
  case planned(wish: Wish, steps: [RecordedStep])
  case stepStarted(step: Int)
  case stepFinished(step: Int, outcome: StepOutcome, milliseconds: Int)
  case undoStarted(step: Int)
  /// `failure` is nil where the step was taken back.
  case undoFinished(step: Int, failure: StepFailure?, milliseconds: Int)
  case interrupted
  case ended(RunResult)
}

/// A step as a journal and a dry run show it: the very words that are sent.
package struct RecordedStep: Sendable, Hashable, Codable {
  package var number: Int
  package var phase: Phase.Kind
  package var machine: MachineName
  package var hosts: [MachineName]
  package var act: Act
  /// The script that `/bin/sh -c` runs.
  package var script: String
  /// `root` or `login`.
  package var runsAs: String
  /// What goes to its standard input, in words; nil where nothing does.
  package var input: String?
  /// What takes it back, in order.
  package var undo: [String]

  package init(_ step: Step, phase: Phase.Kind) {
    number = step.number
    self.phase = phase
    machine = step.machine
    hosts = step.hosts
    act = step.act
    script = step.command.script
    runsAs = step.command.privilege.rawValue
    if case .bytes(_, let description) = step.command.input { input = description }
    undo = step.undo.map(\.command.script)
  }
}

extension Plan {
  /// The steps as a journal and a dry run show them, in the plan's order.
  package var recorded: [RecordedStep] {
    phases.flatMap { phase in phase.steps.map { RecordedStep($0, phase: phase.kind) } }
  }
}
