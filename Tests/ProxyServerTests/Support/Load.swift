import CLinux
import Glibc
import Synchronization

/// Strict clients of an echoing server, each sending one request after another: some over connections of their own,
/// some over one that they keep.
final class Load: Sendable {
  struct Outcome: Sendable {
    var answered = 0
    /// Connections that the listener refused or broke while they were made.
    var refused: [Peer.Failure] = []
    /// Answers that were not the bytes that had been sent.
    var wrong = 0
    /// Requests without a whole answer.
    var lost: [Loss] = []

    /// Those that nothing of a list explains.
    func unexplained(by events: [ClosedRange<UInt64>]) -> [Loss] {
      lost.filter { loss in !events.contains { loss.time.overlaps($0) } }
    }
  }

  struct Loss: Sendable, Equatable {
    /// From when the connection was last known to be well until it was lost.
    let time: ClosedRange<UInt64>
    let failure: Peer.Failure
    /// How many requests the client had made by then, and whether each had a connection of its own.
    let number: Int
    let keepsAlive: Bool
  }

  private final class Flag: Sendable {
    let isUp = Atomic(false)
    let answered = Atomic(0)
  }

  private let stopped = Flag()
  private let clients: [Worker<Outcome>]

  init(port: UInt16, newConnections: Int = 4, keptAlive: Int = 4) {
    let stopped = stopped
    clients = (0..<newConnections + keptAlive).map { number in
      Worker { Load.run(port, number, keepsAlive: number >= newConnections, stopped) }
    }
  }

  /// Requests answered so far.
  var answered: Int { stopped.answered.load(ordering: .relaxed) }

  /// Lets requests go on until so many more have been answered.
  func go(on count: Int) {
    let target = answered + count
    _ = TestProxy.eventually({ self.answered }, isReached: { $0 >= target })
  }

  /// Lets requests go on for so many milliseconds.
  func go(onFor milliseconds: UInt64) {
    let end = clinux_monotonic_nanoseconds() + milliseconds * 1_000_000
    _ = TestProxy.eventually(clinux_monotonic_nanoseconds, isReached: { $0 >= end })
  }

  /// Ends it, and says what all clients saw.
  func stop() -> Outcome {
    stopped.isUp.store(true, ordering: .relaxed)
    return clients.reduce(into: Outcome()) { sum, client in
      let outcome = client.value()
      sum.answered += outcome.answered
      sum.refused += outcome.refused
      sum.wrong += outcome.wrong
      sum.lost += outcome.lost
    }
  }

  private static func run(
    _ port: UInt16,
    _ client: Int,
    keepsAlive: Bool,
    _ stopped: Flag
  ) -> Outcome {
    var outcome = Outcome()
    var kept: Peer?
    var number = 0
    // Of a kept connection: before it last answered. When it did is not known: the answer may have waited here.
    var wellAt: UInt64 = 0
    while !stopped.isUp.load(ordering: .relaxed) {
      number += 1
      let begun = clinux_monotonic_nanoseconds()
      if kept == nil { wellAt = begun }
      do throws(Peer.Failure) {
        if kept == nil { kept = try Peer(connectingTo: port) }
      } catch {
        outcome.refused.append(error)
        continue
      }
      guard let peer = kept else { continue }
      let request = Noise.bytes(1 + number % 4000, seed: UInt64(client * 1_000_000 + number))
      do throws(Peer.Failure) {
        try peer.send(request)
        let answer = try peer.receive(exactly: request.count)
        if answer.count < request.count { throw .reset }
        if answer != request { outcome.wrong += 1 }
        outcome.answered += 1
        stopped.answered.add(1, ordering: .relaxed)
        if keepsAlive {
          wellAt = begun
          continue
        }
      } catch {
        let time = wellAt...clinux_monotonic_nanoseconds()
        outcome.lost.append(
          Loss(time: time, failure: error, number: number, keepsAlive: keepsAlive)
        )
      }
      peer.close()
      kept = nil
    }
    kept?.close()
    return outcome
  }
}
