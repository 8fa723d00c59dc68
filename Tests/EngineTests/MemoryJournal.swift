import Engine
import Fleet
import Remote
import Rollout
import TestSupport

/// A journal that a test can read, and that can fail from a given record on.
actor MemoryJournal: Journal {
  private(set) var records: [JournalRecord] = []
  private(set) var durable: [JournalRecord] = []
  private let capacity: Int

  init(capacity: Int = .max) {
    self.capacity = capacity
  }

  func append(_ record: JournalRecord, durably: Bool) async throws {
    guard records.count < capacity else { throw DiskFull() }
    records.append(record)
    if durably { durable.append(record) }
  }

  struct DiskFull: Error {}
}

extension JournalRecord {
  /// The record without what differs from run to run.
  var timeless: JournalRecord {
    switch self {
    case .stepFinished(let step, let outcome, _):
      .stepFinished(step: step, outcome: outcome, milliseconds: 0)
    case .undoFinished(let step, let failure, _):
      .undoFinished(step: step, failure: failure, milliseconds: 0)
    case .begun, .planned, .stepStarted, .undoStarted, .interrupted, .ended: self
    }
  }
}

/// Gives out prepared conversations, one after the other for each machine; then the machine is out
/// of reach.
actor Connector: MachineConnector {
  private var conversations: [MachineName: [any RemoteHost]]
  private(set) var connections: [MachineName] = []

  init(_ conversations: [MachineName: [any RemoteHost]]) {
    self.conversations = conversations
  }

  func connect(to machine: MachineName) async throws(RemoteError) -> any RemoteHost {
    connections.append(machine)
    guard let next = conversations[machine]?.first else {
      throw RemoteError(.unreachable, detail: "No route to host")
    }
    conversations[machine]?.removeFirst()
    return next
  }
}
