import Rollout
import Workspace

/// Knows that a journal is a file of JSON lines, each with its time.
struct FileJournal: Journal {
  let file: JournalFile

  func append(_ record: JournalRecord, durably: Bool) async throws {
    let line = try JSON.line(Line(record: record))
    try await file.append(line: line, durably ? .onDisk : .handedOver)
  }

  /// A record with `at` beside its own keys.
  private struct Line: Encodable {
    var record: JournalRecord
    let at = RunTime.now

    enum Key: String, CodingKey { case at }

    func encode(to encoder: any Encoder) throws {
      var line = encoder.container(keyedBy: Key.self)
      try line.encode(at, forKey: .at)
      try record.encode(to: encoder)
    }
  }
}
