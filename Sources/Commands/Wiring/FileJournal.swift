import Rollout
import Workspace

/// Knows that a journal is a file of JSON lines, each with its time.
struct FileJournal: Journal {
  let file: JournalFile

  func append(_ record: JournalRecord, durably: Bool) async throws {
    try await append(Line(content: record), durably ? .onDisk : .handedOver)
  }

  /// Says who began the run, and how.
  func begin(by operatorName: String, command: [String]) async throws {
    let begun = Begun(by: operatorName, command: command, version: Duplexctl.version)
    try await append(Line(content: ["begun": begun]), .onDisk)
  }

  private func append(_ line: Line<some Encodable>, _ durability: JournalFile.Durability)
    async throws
  {
    try await file.append(line: JSON.line(line), durability)
  }

  private struct Begun: Encodable {
    var by: String
    var command: [String]
    var version: String
  }

  /// A record with `at` beside its own keys.
  private struct Line<Content: Encodable>: Encodable {
    var content: Content
    let at = RunTime.now

    enum Key: String, CodingKey { case at }

    func encode(to encoder: any Encoder) throws {
      var line = encoder.container(keyedBy: Key.self)
      try line.encode(at, forKey: .at)
      try content.encode(to: encoder)
    }
  }
}
