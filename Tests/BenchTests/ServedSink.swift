import Synchronization

@testable import Bench

#if canImport(Glibc)
  import Glibc
#endif

/// A `Sink` that serves in a thread of its own until it is stopped.
final class ServedSink: Sendable {
  let port: LoopbackPort
  private let isStopped = Atomic(false)

  init() throws {
    port = try LoopbackPort.free(1)[0]
  }

  /// Does `body` while it serves.
  func serving<Result>(_ body: () throws -> Result) throws -> Result {
    let unmanaged = Unmanaged.passRetained(self)
    var thread = pthread_t()
    pthread_create(
      &thread,
      nil,
      { context in
        let served = Unmanaged<ServedSink>.fromOpaque(context!).takeRetainedValue()
        do {
          var sink = try Sink(on: served.port)
          while !served.isStopped.load(ordering: .relaxed) { try sink.turn(waiting: 100) }
        } catch {
          fatalError("\(error)")
        }
        return nil
      },
      unmanaged.toOpaque()
    )
    defer {
      isStopped.store(true, ordering: .relaxed)
      pthread_join(thread, nil)
    }
    try awaitListening()
    return try body()
  }

  private func awaitListening() throws {
    for _ in 0..<1000 {
      do {
        _ = try RequestCounter(at: port).read()
        return
      } catch {
        // Ignored: it does not listen yet.
        usleep(2000)
      }
    }
    throw BenchError.neverReady(name: "sink", output: "")
  }
}
