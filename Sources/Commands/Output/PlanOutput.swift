import Fleet
import Remote
import Rollout

/// A dry run: every command for every machine in order, and what changes in haproxy.cfg.
struct PlanOutput {
  let plan: Plan
  let unchanged: [MachineName]

  func write(as format: OutputFormat) throws {
    switch format {
    case .text: Stream.standardOutput.line(text.joined(separator: "\n"))
    case .json: Stream.standardOutput.line(try JSON.text(Document(self)))
    }
  }

  private struct Document: Encodable {
    var wish: Wish
    var unchanged: [MachineName]
    var steps: [RecordedStep]
    var diffs: [String: String]

    init(_ output: PlanOutput) {
      wish = output.plan.wish
      unchanged = output.unchanged
      steps = output.plan.recorded
      diffs = Dictionary(
        uniqueKeysWithValues: output.plan.configurationChanges.map { change in
          (change.balancer.text, change.diff.joined(separator: "\n"))
        }
      )
    }
  }

  private var text: [String] {
    var lines: [String] = []
    if !unchanged.isEmpty { lines.append("# nothing to do: \(Sentences.list(unchanged))") }
    guard !plan.isEmpty else { return lines + ["# The fleet is as wished: nothing to run."] }
    for phase in plan.phases {
      lines += ["# \(title(of: phase))"]
      lines += phase.steps.map { "#   \($0.number). \($0.machine): \(Sentences.doing($0.act))" }
    }
    for phase in plan.phases {
      lines += ["", "## \(title(of: phase))"]
      for step in phase.steps { lines += text(of: step) }
    }
    for change in plan.configurationChanges {
      lines += ["", "## \(change.balancer): \(change.path)"] + change.diff
    }
    return lines + ["", "# Dry run: \(plan.steps.count) steps, nothing was changed."]
  }

  private func title(of phase: Phase) -> String {
    let hosts = Sentences.list(phase.hosts)
    return switch phase.kind {
    case .prepare: "prepare, all at once: \(hosts)"
    case .switch: "switch \(hosts)"
    case .retire: "stop the proxies, all at once: \(hosts)"
    }
  }

  private func text(of step: Step) -> [String] {
    var lines = [
      "",
      "# \(step.number). \(step.machine): \(Sentences.doing(step.act))"
        + (step.command.privilege == .root ? " (root)" : ""),
    ]
    if case .bytes(_, let description) = step.command.input {
      lines.append("# standard input: \(description)")
    }
    return lines + step.command.shown
  }
}

extension RemoteCommand {
  /// The script as a dry run shows it, line by line.
  var shown: [String] {
    script.split(separator: "\n", omittingEmptySubsequences: false)
      .map { $0.isEmpty ? "" : "    \($0)" }
  }
}

extension ConfigurationChange {
  var diff: [String] { LineDiff(before: before, after: after).text(path: path) }
}
