import Rollout

/// What a survey found, on stderr, the worst first; or as JSON on stdout.
struct FindingsOutput {
  let terminal: Terminal

  func write(_ findings: [Finding]) {
    for finding in findings.filter({ $0.severity == .blocking }) { write(finding, .red) }
    for finding in findings.filter({ $0.severity == .warning }) { write(finding, .yellow) }
  }

  func write(_ findings: [Finding], as format: OutputFormat) {
    write(findings)
    guard format == .json else { return }
    do {
      Stream.standardOutput.line(try JSON.text(["findings": findings.map(Entry.init)]))
    } catch {
      Stream.standardError.line("cannot write JSON: \(error)")
    }
  }

  struct Entry: Encodable {
    var machine: String
    var severity: String
    var text: String

    init(_ finding: Finding) {
      machine = finding.machine.text
      severity = finding.severity.rawValue
      text = Sentences.finding(finding.kind)
    }
  }

  private func write(_ finding: Finding, _ colour: Terminal.Colour) {
    let word = finding.severity == .blocking ? "error" : "warning"
    Stream.standardError.line(
      "\(terminal.coloured(word, colour)): \(finding.machine): \(Sentences.finding(finding.kind))"
    )
  }
}
