import Foundation
import Synchronization

/// Things that are done at the same time, each in a thread of its own.
final class Together<Value: Sendable>: Sendable {
  private let results: Mutex<[Int: Result<Value, any Error>]> = Mutex([:])

  /// Does all and waits for all.
  static func run(_ tasks: [@Sendable () throws -> Value]) throws -> [Value] {
    let together = Together()
    let group = DispatchGroup()
    for (index, task) in tasks.enumerated() {
      group.enter()
      Thread.detachNewThread {
        let result = Result { try task() }
        together.results.withLock { $0[index] = result }
        group.leave()
      }
    }
    group.wait()
    let results = together.results.withLock { $0 }
    return try tasks.indices.compactMap { try results[$0]?.get() }
  }
}
