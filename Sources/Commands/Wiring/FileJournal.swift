import Rollout
import Workspace

/// Knows that a journal is a file of JSON lines.
struct FileJournal: Journal {
  let file: JournalFile

  func append(_ record: JournalRecord, durably: Bool) async throws {
    try await file.append(line: JSON.line(record), durably ? .onDisk : .handedOver)
  }
}
