import Engine
import Fleet
import Rollout
import Synchronization

/// Progress on stderr: on a terminal one line a host that changes, elsewhere a line per step.
final class ProgressOutput: Sendable {
  private let terminal: Terminal
  private let hosts: [MachineName]
  private let state: Mutex<State>

  private struct State: Sendable {
    var words: [MachineName: String] = [:]
    var drawn = 0
  }

  init(plan: Plan, terminal: Terminal) {
    self.terminal = terminal
    hosts = plan.hosts
    state = Mutex(State())
  }

  func show(_ event: RunEvent) {
    switch event {
    case .stepStarted(let step): change(step.hosts, to: Sentences.doing(step.act))
    case .stepFinished(let step, let outcome, let duration): finished(step, outcome, duration)
    case .undoStepStarted(let step, let act):
      change(step.hosts, to: "taking back: \(Sentences.doing(act))")
    case .undoStepFinished(let step, let failure, let duration):
      undone(step, failure, duration)
    case .journalFailed(let detail):
      Stream.standardError.line("error: the journal cannot be written: \(detail); stopping")
    case .stageStarted, .undoStarted: break
    }
  }

  /// The live lines are left saying what became of each host.
  func finish(_ result: RunResult, _ wish: Wish) {
    for entry in result.hosts {
      change([entry.host], to: Sentences.result(entry.result, wish: wish))
    }
  }

  /// A line of its own; live lines go on below it.
  func note(_ text: String) {
    state.withLock { state in
      state.drawn = 0
      Stream.standardError.line(terminal.isInteractive ? "\n\(text)" : text)
    }
  }

  private func finished(_ step: Step, _ outcome: StepOutcome, _ duration: Duration) {
    switch outcome {
    case .failed(let failure):
      change(step.hosts, to: terminal.coloured("failed: ", .red) + Sentences.doing(step.act))
      plain("\(Sentences.failure(failure))")
    case .done, .alreadySo:
      let last = Sentences.done(step.act) ?? Sentences.doing(step.act)
      change(step.hosts, to: last)
      let behalf = step.hosts == [step.machine] ? "" : " (\(Sentences.list(step.hosts)))"
      plain("\(step.machine)\(behalf): \(Sentences.doing(step.act)): ok, \(duration.seconds)")
    }
  }

  private func undone(_ step: Step, _ failure: StepFailure?, _ duration: Duration) {
    let word = failure == nil ? "taken back" : terminal.coloured("not taken back", .red)
    change(step.hosts, to: "\(word): \(Sentences.doing(step.act))")
    if let failure {
      plain("taking back: \(Sentences.failure(failure))")
    } else {
      plain("\(step.machine): taken back: \(Sentences.doing(step.act)), \(duration.seconds)")
    }
  }

  private func plain(_ line: String) {
    guard !terminal.isInteractive else { return }
    Stream.standardError.line(line)
  }

  private func change(_ changed: [MachineName], to words: String) {
    guard terminal.isInteractive else { return }
    state.withLock { state in
      for host in changed { state.words[host] = words }
      let width = hosts.map(\.text.count).max() ?? 0
      var text = state.drawn > 0 ? "\u{1B}[\(state.drawn)A" : ""
      for host in hosts {
        let name = host.text + String(repeating: " ", count: width - host.text.count)
        let line = "\(name)  \(state.words[host] ?? "waiting for its turn")"
        text += "\u{1B}[2K\(line.prefix(terminal.columns - 1))\n"
      }
      state.drawn = hosts.count
      Stream.standardError.write(text)
    }
  }
}
