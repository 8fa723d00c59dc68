import CLinux
import Glibc

/// The process that the operator starts, and monit knows: it holds the listening sockets and keeps one worker accepting
/// on them. It accepts, reads and decides nothing about a connection, so that what kills a worker does not reach it.
///
/// One thread, one poll: signals, workers' answers, deadlines. Everything that happens to it is handled at the end of
/// one wait, in `proceed`, where the order of things is decided.
final class Supervisor {
  /// How long a worker may take to get ready, and to carry out an order.
  static let patience: UInt64 = 10_000_000_000
  /// How long beyond its drain timeout a worker may take to end.
  static let grace: UInt64 = 10_000_000_000

  let log: Log
  let signals: Int32
  /// Where an upgrade finds the new executable.
  let path: String
  /// The words the process was started with, its name first.
  let words: [String]

  var setup: Setup
  /// What is in force as long as the worker that `setup` is meant for does not serve.
  var former: Setup?
  /// The executable before this one, open as long as `former` is there; -1 when there is none.
  var formerExecutable: Int32 = -1
  /// This executable runs no worker: the process is given back to the one before it.
  var wantsReturn = false
  var workers: [WorkerProcess] = []
  var counters = SupervisionCounters()
  var backoff = RestartBackoff()
  /// When a worker may be started where there is none.
  var startAt: UInt64 = 0
  var hasServed = false
  var trial = Trial.none
  var wantsReload = false
  var wantsUpgrade = false
  private var isStopping = false
  private var exitStatus: Int32?

  /// A configuration, where it came from, and its sockets.
  struct Setup {
    var text: ConfigurationText
    var configuration: Configuration
    var account: UserAccount?
    var listeners: HeldListeners
    /// How many threads a worker has: as at the very start, whatever becomes of the executable, since there are as
    /// many listening sockets a route.
    var threads: Int

    /// Whether a worker may pass the permissions of files, which unix sockets are: it cannot get that later.
    var passesFilePermissions: Bool {
      configuration.reachesUnixSockets && (account?.user ?? geteuid()) == 0
    }
  }

  /// The new executable's trial before an upgrade.
  enum Trial: Equatable {
    case none
    /// With the file that has the state, so many bytes, and then the proof.
    case running(pid_t, deadline: UInt64, file: Int32, state: Int)
    case passed(version: String)
  }

  init(_ setup: Setup, signals: Int32, path: String, words: [String]) {
    self.setup = setup
    self.signals = signals
    self.path = path
    self.words = words
    log = .running(setup.configuration)
  }

  /// Until it is stopped; returns the exit status.
  func run() -> Int32 {
    // Who ended during an upgrade's change of executables has been told of once, and that may have been then.
    reap()
    while true {
      proceed()
      if let exitStatus { return exitStatus }
      wait()
      takeSignals()
      expire(clinux_monotonic_nanoseconds())
    }
  }

  func end(_ status: Int32) {
    // The sockets end with the process, their files do not.
    setup.listeners.removeFiles()
    exitStatus = status
  }

  private func proceed() {
    if isStopping {
      guard workers.isEmpty else { return }
      log.line("stopped")
      return end(0)
    }
    let now = clinux_monotonic_nanoseconds()
    if wantsReturn {
      guard isSettled else { return }
      giveBack()
    }
    if !hasActiveWorker, startAt <= now { startWorker(now) }
    guard isSettled else { return }
    if wantsReload { reload() }
    // A reload gives the worker something to do.
    guard isSettled else { return }
    // Asked again meanwhile, it may be another executable by now.
    if case .passed = trial, wantsUpgrade { trial = .none }
    if case .passed(let version) = trial { upgrade(toVersion: version) }
    if wantsUpgrade, trial == .none { startTrial(now) }
  }

  /// Whether some worker accepts, or is about to.
  private var hasActiveWorker: Bool { workers.contains { $0.phase != .draining } }

  /// Whether no worker is in the middle of anything.
  private var isSettled: Bool {
    workers.allSatisfy { $0.phase == .serving || $0.phase == .draining }
  }
}

// MARK: Waiting

extension Supervisor {
  private func wait() {
    var entries = [pollfd(fd: signals, events: Int16(POLLIN), revents: 0)]
    // poll(2) passes over those that are closed: -1.
    entries += workers.map { pollfd(fd: $0.control, events: Int16(POLLIN), revents: 0) }
    guard poll(&entries, nfds_t(entries.count), milliseconds(until: nextDeadline)) > 0 else {
      return
    }
    let heard = zip(workers, entries.dropFirst()).filter { $1.revents != 0 }.map(\.0.pid)
    for pid in heard { hear(pid) }
  }

  private var nextDeadline: UInt64 {
    var deadline = workers.map(\.deadline).min() ?? .max
    if case .running(_, let end, _, _) = trial { deadline = min(deadline, end) }
    if !hasActiveWorker, !isStopping { deadline = min(deadline, startAt) }
    return deadline
  }

  private func milliseconds(until deadline: UInt64) -> Int32 {
    guard deadline != .max else { return -1 }
    let now = clinux_monotonic_nanoseconds()
    return deadline > now ? Int32(min((deadline - now + 999_999) / 1_000_000, 1 << 30)) : 0
  }

  private func takeSignals() {
    while true {
      switch clinux_next_signal(signals) {
      case SIGTERM, SIGINT: stop()
      case SIGHUP: wantsReload = true
      case SIGUSR2: wantsUpgrade = true
      case SIGCHLD: reap()
      default: return
      }
    }
  }

  private func expire(_ now: UInt64) {
    for index in workers.indices where workers[index].deadline <= now {
      log.line("worker \(workers[index].pid) does not end or answer: killed")
      kill(workers[index].pid, SIGKILL)
      workers[index].deadline = .max
    }
    if case .running(let pid, let deadline, let file, let state) = trial, deadline <= now {
      trial = .running(pid, deadline: .max, file: file, state: state)
      kill(-pid, SIGKILL)
    }
  }
}

// MARK: Stopping

extension Supervisor {
  /// The first request lets the workers finish what is open; the second one ends at once.
  private func stop() {
    guard !isStopping else {
      for worker in workers { kill(worker.pid, SIGKILL) }
      return
    }
    isStopping = true
    if case .running(let pid, _, _, _) = trial { kill(-pid, SIGKILL) }
    // The worker's are the last ones then: it takes what waits, and closes them.
    let former = former?.listeners.descriptors ?? []
    for descriptor in Set(setup.listeners.descriptors + former) { Glibc.close(descriptor) }
    let deadline = drainDeadline(clinux_monotonic_nanoseconds())
    for index in workers.indices {
      switch workers[index].phase {
      case .starting: kill(workers[index].pid, SIGKILL)
      case .ready:
        // The one before it takes nothing any more.
        _ = workers[index].order(.go) && workers[index].order(.stop)
      case .serving, .configuring: _ = workers[index].order(.stop)
      case .handingOver, .draining: break
      }
      workers[index].phase = .draining
      workers[index].deadline = min(workers[index].deadline, deadline)
    }
  }

  /// When a worker that drains must have ended.
  func drainDeadline(_ now: UInt64, timeouts: UInt64 = 1) -> UInt64 {
    now &+ setup.configuration.limits.drainTimeout &* timeouts &+ Self.grace
  }
}
