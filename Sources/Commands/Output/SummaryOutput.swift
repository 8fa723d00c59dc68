import Fleet
import Rollout

/// The end of a run: host by host what became of it, and where the time went.
struct SummaryOutput {
  let plan: Plan
  let result: RunResult
  let unchanged: [MachineName]
  let tally: StepTally.Totals
  let surveyed: Duration
  let took: Duration
  let journal: String
  /// As the operator named it; nil where it was found.
  let inventory: String?

  func write(as format: OutputFormat) throws {
    switch format {
    case .text: Stream.standardOutput.line(text.joined(separator: "\n"))
    case .json: Stream.standardOutput.line(try JSON.text(Document(self)))
    }
    for line in advice { Stream.standardError.line(line) }
  }

  static func nothingToDo(_ wish: Wish, hosts: [MachineName], as format: OutputFormat) throws {
    switch format {
    case .text:
      Stream.standardOutput.line(
        "Nothing to do: \(Sentences.list(hosts)) "
          + "\(hosts.count == 1 ? "is" : "are") \(Sentences.result(.done, wish: wish)) already."
      )
    case .json:
      Stream.standardOutput.line(
        try JSON.text(Document(wish: wish, unchanged: hosts, hosts: [], seconds: 0))
      )
    }
  }

  fileprivate struct Document: Encodable {
    var wish: Wish
    var unchanged: [MachineName]
    var hosts: [Row]
    var seconds: Double
    var surveySeconds: Double?
    var interrupted = false
    var journal: String?

    struct Row: Encodable {
      var host: MachineName
      var result: String
      var changed: [String]
      var seconds: Double
      var waiting: [String: Double]
      var failures: [String]
    }
  }

  private var text: [String] {
    var table = Columns(["host", "result", "time", "of it waiting for"])
    for entry in result.hosts {
      let host = entry.host
      table.add([
        host.text, Sentences.result(entry.result, wish: plan.wish),
        (tally.time[host] ?? .zero).seconds, waiting(host),
      ])
    }
    for host in unchanged {
      table.add([host.text, "\(Sentences.result(.done, wish: plan.wish)) already"])
    }
    let changes = result.hosts.compactMap { entry -> String? in
      let words = changed(entry.host).joined(separator: ", ")
      guard !words.isEmpty else { return nil }
      if case .undone = entry.result { return "\(entry.host): \(words), and taken back" }
      return "\(entry.host): \(words)"
    }
    return table.lines + [""] + changes + [
      "",
      "\((surveyed + took).seconds) in all, \(surveyed.seconds) of it looking first. "
        + "Journal: \(journal)",
    ]
  }

  /// The longest wait first; what took no time is left out.
  private func waiting(_ host: MachineName) -> String {
    let waits = Waiting.allCases.map { (on: $0, time: tally.waiting[host]?[$0] ?? .zero) }
    return waits.filter { $0.time >= .milliseconds(10) }.sorted { $0.time > $1.time }
      .map { "\($0.on.rawValue) \($0.time.seconds)" }.joined(separator: ", ")
  }

  private func changed(_ host: MachineName) -> [String] {
    var words = (tally.acts[host] ?? []).compactMap(Sentences.done)
    switch tally.remarks[host] {
    case .trafficSeen?: words.append("traffic seen")
    case .noTrafficSeen?: words.append("no traffic seen")
    case nil: break
    }
    return words
  }

  /// Failures in full, and which machines need hands, last: that is where a person looks.
  private var advice: [String] {
    var lines: [String] = []
    for entry in result.hosts {
      lines += entry.result.failures.map(Sentences.failure)
    }
    var seen: Set<String> = []
    lines = lines.filter { seen.insert($0).inserted }
    for entry in result.hosts {
      if case .needsHands = entry.result {
        lines.append(Sentences.hands(entry.host, inventory: inventory))
      }
    }
    return lines
  }
}

extension SummaryOutput.Document {
  fileprivate init(_ summary: SummaryOutput) {
    wish = summary.plan.wish
    unchanged = summary.unchanged
    seconds = (summary.surveyed + summary.took).inSeconds
    surveySeconds = summary.surveyed.inSeconds
    interrupted = summary.result.interrupted
    journal = summary.journal
    hosts = summary.result.hosts.map { entry in
      let waiting = summary.tally.waiting[entry.host] ?? [:]
      return Row(
        host: entry.host,
        result: Sentences.result(entry.result, wish: summary.plan.wish),
        changed: summary.changed(entry.host),
        seconds: (summary.tally.time[entry.host] ?? .zero).inSeconds,
        waiting: Dictionary(
          uniqueKeysWithValues: waiting.map { ($0.key.rawValue, $0.value.inSeconds) }
        ),
        failures: entry.result.failures.map(Sentences.failure)
      )
    }
  }
}

extension HostResult {
  var failures: [StepFailure] {
    switch self {
    case .undone(let failure?): [failure]
    case .needsHands(let failures): failures
    case .done, .undone(nil), .notReached, .unfinished: []
    }
  }
}

extension Duration {
  /// To the millisecond.
  var inSeconds: Double {
    Double(components.seconds) + (Double(components.attoseconds) / 1e15).rounded() / 1000
  }
}
