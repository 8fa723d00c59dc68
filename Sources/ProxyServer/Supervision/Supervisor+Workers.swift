import CLinux
import Glibc

/// Starting workers, changing from one to the next, and noticing their deaths.
extension Supervisor {
  func startWorker(_ now: UInt64) {
    switch WorkerProcess.start(now: now, deadline: now &+ Self.patience) {
    case .failure(let failure):
      log.line("no worker could be started: \(String(errno: failure.errno))")
      workerCouldNotStart(now, isAccident: false, lifetime: 0)
    case .success(let worker):
      workers.append(worker)
      // Ignored: a worker that does not take it is dead, which is noticed like any other death.
      _ = worker.configure(settings, setup.listeners)
    }
  }

  var settings: WorkerSettings {
    WorkerSettings(
      text: setup.text,
      account: setup.account,
      counters: counters,
      threads: setup.threads,
      routes: setup.listeners.routes.map(\.address),
      admin: setup.listeners.admin.map(\.address)
    )
  }

  /// Takes one answer of a worker, or its end.
  func hear(_ pid: pid_t) {
    guard let index = workers.firstIndex(where: { $0.pid == pid }) else { return }
    switch (workers[index].answer(), workers[index].phase) {
    case (.ready, .starting):
      workers[index].phase = .ready
      workers[index].deadline = .max
      replace()
    case (.ready, .configuring):
      workers[index].phase = .serving
      workers[index].deadline = .max
      log.line("the configuration was read again")
    case (.handedOver, .handingOver):
      handedOver(index)
    case (.copyingOn, _): copyingSwitched(on: true, by: pid)
    case (.copyingOff, _): copyingSwitched(on: false, by: pid)
    case (nil, _):
      Glibc.close(workers[index].control)
      workers[index].control = -1
    default: break
    }
  }

  /// A worker says that it has switched. Those before it may have copies to end, and one that is on its way out speaks for
  /// the one that accepts. One that is getting ready is told when it may go.
  private func copyingSwitched(on isOn: Bool, by pid: pid_t) {
    noteCopying(isOn)
    for worker in workers where worker.pid != pid {
      switch worker.phase {
      case .handingOver, .draining: if !isOn { tellCopying(to: worker) }
      case .serving, .configuring: tellCopying(to: worker)
      case .starting, .ready: break
      }
    }
  }

  private func noteCopying(_ isOn: Bool) {
    if isOn {
      counters.copyingOffSince = 0
    } else if counters.copyingOffSince == 0 {
      counters.copyingOffSince = time(nil)
    }
  }

  private func tellCopying(to worker: WorkerProcess) {
    // Ignored: one that does not take it is dead, or ends all it has before long.
    _ = worker.order(counters.copyingOffSince == 0 ? .beginCopies : .endCopies)
  }

  /// A worker is ready: the one that serves, if there is one, stops accepting first. At no time do two of them accept:
  /// the engines want the shared sockets in different modes.
  private func replace() {
    guard let index = workers.firstIndex(where: \.isAccepting) else { return go() }
    workers[index].phase = .handingOver
    workers[index].deadline = clinux_monotonic_nanoseconds() &+ Self.patience
    // Ignored: one that does not take it is dead or hangs, and the deadline ends both.
    _ = workers[index].order(.handOver)
  }

  private func handedOver(_ index: Int) {
    workers[index].phase = .draining
    workers[index].deadline = drainDeadline(
      clinux_monotonic_nanoseconds(),
      timeouts: Limits.handedOverDrains
    )
    go()
  }

  private func go() {
    guard let index = workers.firstIndex(where: { $0.phase == .ready }) else { return }
    workers[index].phase = .serving
    workers[index].deadline = .max
    // It may have been switched since this one was started. Before it accepts: what it is asked for itself comes later.
    tellCopying(to: workers[index])
    _ = workers[index].order(.go)
    hasServed = true
    guard let former else { return }
    former.listeners.close(exceptThoseOf: setup.listeners)
    self.former = nil
    Glibc.close(formerExecutable)
    formerExecutable = -1
    log.line("duplex-proxy \(Version.text) has taken over")
  }
}

// MARK: Deaths

extension Supervisor {
  /// Buries all children that have ended.
  func reap() {
    while true {
      let pid = clinux_ended_child()
      guard pid > 0 else { return }
      var status: Int32 = 0
      if case .running(pid, _, let file, let state) = trial {
        // Before it is buried: until then its number is nobody else's.
        kill(-pid, SIGKILL)
        waitpid(pid, &status, 0)
        trialEnded(status, file: file, state: state)
        continue
      }
      waitpid(pid, &status, 0)
      if let index = workers.firstIndex(where: { $0.pid == pid }) {
        let worker = workers.remove(at: index)
        takeLastWords(of: worker)
        if worker.control >= 0 { Glibc.close(worker.control) }
        died(worker, status)
      }
    }
  }

  /// A worker that is dead may have switched copying before, and said so.
  private func takeLastWords(of worker: WorkerProcess) {
    while worker.control >= 0, let answer = worker.answer() {
      switch answer {
      case .copyingOn: copyingSwitched(on: true, by: worker.pid)
      case .copyingOff: copyingSwitched(on: false, by: worker.pid)
      case .ready, .handedOver: break
      }
    }
  }

  private func died(_ worker: WorkerProcess, _ status: Int32) {
    let now = clinux_monotonic_nanoseconds()
    let lifetime = now &- worker.started
    switch worker.phase {
    case .draining:
      if status != 0 { log.line("worker \(worker.pid) \(Self.ending(status)) while it drained") }
    case .handingOver:
      log.line("worker \(worker.pid) \(Self.ending(status)) while it handed over")
      go()
    case .starting, .ready:
      log.line("worker \(worker.pid) \(Self.ending(status)) before it served")
      workerCouldNotStart(now, isAccident: status & 0x7f != 0, lifetime: lifetime)
    case .serving, .configuring:
      let delay = backoff.delay(afterLivingFor: lifetime)
      startAt = now &+ delay
      counters.restarts += 1
      let wait = delay == 0 ? "at once" : "in \(delay / 1_000_000) ms"
      log.line("worker \(worker.pid) \(Self.ending(status)); another one is started \(wait)")
    }
  }

  /// A first worker that says it cannot start ends it all, so that who starts the program learns of it.
  func workerCouldNotStart(_ now: UInt64, isAccident: Bool, lifetime: UInt64) {
    guard hasServed || isAccident else { return end(1) }
    startAt = now &+ backoff.delay(afterLivingFor: lifetime)
    guard let former else { return }
    setup.listeners.close(exceptThoseOf: former.listeners)
    setup = former
    self.former = nil
    counters.upgrades -= 1
    wantsReturn = true
    log.line("upgrade failed: \(path) runs no worker")
  }

  /// How a process ended, of what wait(2) says.
  static func ending(_ status: Int32) -> String {
    let signal = status & 0x7f
    return signal == 0
      ? "ended with status \(status >> 8 & 0xff)" : "was killed by signal \(signal)"
  }
}
