import Fleet
import Remote
import Rollout

/// What became of an order about copying, host by host; what is not as ordered is named on stderr with what to type.
struct ShadowOutput {
  let order: CopyingSwitch.Order
  /// In the order of the inventory.
  let answers: [(host: MachineName, answer: CopyingAnswer)]
  /// As the operator named it; nil where it was found.
  let inventory: String?

  var isDone: Bool { answers.allSatisfy { $0.answer.fulfils(order) } }

  func write(as format: OutputFormat) throws {
    switch format {
    case .text: Stream.standardOutput.line(table.joined(separator: "\n"))
    case .json: Stream.standardOutput.line(try JSON.text(rows))
    }
    for line in failures { Stream.standardError.line(line) }
  }

  /// A row for each shadow of a host; a host that says nothing of shadows has one.
  var table: [String] {
    var table = Columns(["host", "copying", "since", "route", "shadow", "breaker", "open copies"])
    for (host, answer) in answers {
      guard case .state(let state) = answer else {
        table.add([host.text, answer.word, "-", "-", "-", "-", "-"])
        continue
      }
      let shadows = state.shadows.map { [$0.route, $0.shadow, $0.breaker, String($0.open)] }
      for shadow in shadows.isEmpty ? [["-", "-", "-", "-"]] : shadows {
        table.add([host.text, answer.word, state.since] + shadow)
      }
    }
    return table.lines
  }

  var failures: [String] {
    answers.filter { !$0.answer.fulfils(order) }.map { host, answer in
      "error: \(host): \(reason(answer, host))"
    }
  }

  private func reason(_ answer: CopyingAnswer, _ host: MachineName) -> String {
    let enable = Sentences.command("rollout enable --limit \(host)", inventory: inventory)
    let again = Sentences.command("shadow \(order.rawValue) --limit \(host)", inventory: inventory)
    let last =
      order == .off
      ? "To end copying with the proxy itself: "
        + Sentences.command("rollout rollback \(host)", inventory: inventory) : "Again: \(again)"
    return switch answer {
    case .state(let state):
      "copying is \(state.isOn ? "on" : "off") all the same. Again: \(again)"
    case .notRunning: "no proxy runs there, so nothing is copied. To start it: \(enable)"
    case .silent(let seen):
      "a proxy runs, and its admin endpoint does not answer. It said: \(seen). \(last)"
    case .tooOld: "its proxy has no such switch yet. To deploy this release's: \(enable)"
    case .refused(let seen): "the proxy refused. It said: \(seen). \(last)"
    case .unexpected(let seen): "the answer could not be understood. It said: \(seen). \(last)"
    case .unreachable(let error):
      "\(Sentences.remote(error)). Whether it copies is unknown. Again: \(again)"
    }
  }

  private var rows: [Row] { answers.map { Row($0.host, $0.answer, order) } }

  private struct Row: Encodable {
    var host: String
    var copying: String
    var done: Bool
    var state: CopyingState?

    init(_ host: MachineName, _ answer: CopyingAnswer, _ order: CopyingSwitch.Order) {
      self.host = host.text
      copying = answer.word
      done = answer.fulfils(order)
      if case .state(let state) = answer { self.state = state }
    }
  }
}

extension CopyingAnswer {
  /// For the column `copying`.
  fileprivate var word: String {
    switch self {
    case .state(let state): state.isOn ? "on" : "off"
    case .notRunning: "not running"
    case .silent, .tooOld, .refused, .unexpected, .unreachable: "UNKNOWN"
    }
  }
}

/// A dry run of an order: the command for every host.
struct ShadowPlanOutput {
  let order: CopyingSwitch.Order
  let commands: [(host: MachineName, command: RemoteCommand)]

  func write(as format: OutputFormat) throws {
    switch format {
    case .text: Stream.standardOutput.line(text.joined(separator: "\n"))
    case .json:
      let scripts = commands.map { ["host": $0.host.text, "script": $0.command.script] }
      Stream.standardOutput.line(try JSON.text(scripts))
    }
  }

  var text: [String] {
    commands.flatMap { host, command in
      ["# \(host): shadow \(order.rawValue)"] + command.shown + [""]
    } + ["# Dry run: \(Sentences.list(commands.map(\.host))), all at once; nothing was changed."]
  }
}
