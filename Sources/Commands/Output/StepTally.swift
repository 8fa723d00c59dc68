import Engine
import Fleet
import Rollout
import Synchronization

/// What a run spent its time on, host by host.
final class StepTally: Sendable {
  private let state = Mutex(Totals())

  struct Totals: Sendable {
    /// Time of every step on a host's behalf; lanes of several machines overlap.
    var time: [MachineName: Duration] = [:]
    var waiting: [MachineName: [Waiting: Duration]] = [:]
    /// What was done, in order.
    var acts: [MachineName: [Act]] = [:]
    var remarks: [MachineName: StepReport.Remark] = [:]
  }

  var totals: Totals { state.withLock { $0 } }

  func count(_ event: RunEvent) {
    guard case .stepFinished(let step, let outcome, let duration) = event else { return }
    state.withLock { totals in
      for host in step.hosts {
        totals.time[host, default: .zero] += duration
        if let waiting = step.act.waitsFor {
          totals.waiting[host, default: [:]][waiting, default: .zero] += duration
        }
        guard case .done(let report) = outcome else { continue }
        totals.acts[host, default: []].append(step.act)
        if let remark = report.remark { totals.remarks[host] = remark }
      }
    }
  }
}
