import CLinux
import Glibc

/// Taking on another configuration, and another executable.
extension Supervisor {
  static let trialPatience: UInt64 = 10_000_000_000

  /// Reads the configuration again: all of it is taken on, or nothing.
  func reload() {
    wantsReload = false
    guard let new = Setup.read(setup.text.arguments, beside: setup, log) else {
      return log.line("the configuration was not read again: the one before stays in force")
    }
    guard setup.passesFilePermissions || !new.passesFilePermissions else {
      new.listeners.close(exceptThoseOf: setup.listeners)
      return log.line(
        "a worker that stays root gives up what unix sockets may need unless it is started with one:"
          + " SIGUSR2 starts another one; the configuration before stays in force"
      )
    }
    guard new.configuration.engine == setup.configuration.engine, new.account == setup.account
    else {
      new.listeners.close(exceptThoseOf: setup.listeners)
      return log.line(
        "another --engine or --user is for another worker: SIGUSR2 starts one;"
          + " the configuration before stays in force"
      )
    }
    setup.listeners.close(exceptThoseOf: new.listeners)
    setup = new
    counters.reloads += 1
    guard let index = workers.firstIndex(where: \.isAccepting) else {
      // The worker that is started next gets it.
      return log.line("the configuration was read again")
    }
    workers[index].phase = .configuring
    workers[index].deadline = clinux_monotonic_nanoseconds() &+ Self.patience
    // Ignored: a worker that does not take it is dead or hangs, and the deadline ends both.
    _ = workers[index].configure(settings, setup.listeners)
  }
}

// MARK: Upgrading

extension Supervisor {
  /// Has the executable at the path look at everything it would take over, in a process of its own.
  func startTrial(_ now: UInt64) {
    wantsUpgrade = false
    let bytes = state(-1).bytes
    let file = MemoryFile.write(bytes)
    guard file >= 0 else { return refuse("no memory for the state") }
    let pid = ChildProgram.spawn(
      path,
      [words[0], "trial"] + setup.text.arguments,
      inItsOwnGroup: true,
      handing: file
    )
    guard pid > 0 else {
      Glibc.close(file)
      return refuse(String(errno: -pid))
    }
    trial = .running(pid, deadline: now &+ Self.trialPatience, file: file, state: bytes.count)
  }

  /// - Parameters:
  ///   - file: has what the executable was shown, `state` bytes, and then what it says.
  func trialEnded(_ status: Int32, file: Int32, state: Int) {
    let proof = TrialProof.read(file, after: state)
    Glibc.close(file)
    trial = .none
    guard status == 0 else { return refuse("its trial \(Self.ending(status))") }
    guard let proof, proof.understood == InheritedState.format else {
      return refuse(
        "it does not say that it understands what it would take over"
          + " (a duplex-proxy too old to say so needs a stop and a start)"
      )
    }
    trial = .passed(version: proof.version)
  }

  /// Becomes the new executable, in the same process. The workers do not notice.
  func upgrade(toVersion version: String) {
    trial = .none
    let executable = open("/proc/self/exe", O_RDONLY | O_CLOEXEC)
    guard executable >= 0 else { return refuse(String(errno: errno)) }
    defer { Glibc.close(executable) }
    log.line("upgrading to \(path), duplex-proxy \(version)")
    refuse(execute(path, leaving: state(executable)))
  }

  /// Becomes the executable before this one again, which can run workers: this one could not replace the worker that
  /// serves, should it die.
  func giveBack() {
    wantsReturn = false
    // What was asked for meanwhile is not forgotten: signals wait through the change.
    if wantsReload { kill(getpid(), SIGHUP) }
    if wantsUpgrade { kill(getpid(), SIGUSR2) }
    let reason = execute("/proc/self/fd/\(formerExecutable)", leaving: state(-1))
    Glibc.close(formerExecutable)
    formerExecutable = -1
    log.line(
      "the executable before cannot go on, \(reason): duplex-proxy \(Version.text) tries to start workers"
    )
  }

  /// Comes back only with the reason of a failure.
  private func execute(_ path: String, leaving state: InheritedState) -> String {
    let file = MemoryFile.write(state.bytes)
    guard file >= 0 else { return "no memory for the state" }
    defer { Glibc.close(file) }
    for descriptor in state.descriptors + [file] { clinux_set_close_on_exec(descriptor, 0) }
    let error = ChildProgram.replace(
      path,
      words,
      adding: ["\(InheritedState.variable)=\(file)"]
    )
    for descriptor in state.descriptors { clinux_set_close_on_exec(descriptor, 1) }
    return String(errno: error)
  }

  private func state(_ executable: Int32) -> InheritedState {
    InheritedState(
      text: setup.text,
      account: setup.account,
      listeners: setup.listeners,
      workers: workers,
      counters: counters,
      path: path,
      executable: executable
    )
  }

  private func refuse(_ reason: String) {
    log.line("upgrade to \(path) refused, \(reason): duplex-proxy \(Version.text) goes on")
  }

  /// Goes on where the executable before this one was, and replaces its worker.
  func takeOver(_ state: InheritedState) {
    inherit(state)
    formerExecutable = state.executable
    if let new = Setup.read(Array(words.dropFirst()), beside: setup, log) {
      former = setup
      setup = new
    } else {
      former = setup
      log.line("the configuration was not read again: the one before stays in force")
    }
    counters.upgrades += 1
    startWorker(clinux_monotonic_nanoseconds())
  }

  /// Goes on where this executable was before another one took over, which could not run a worker.
  func goOn(_ state: InheritedState) {
    inherit(state)
    log.line("duplex-proxy \(Version.text) goes on with the worker and the configuration it had")
  }

  private func inherit(_ state: InheritedState) {
    for descriptor in state.descriptors { clinux_set_close_on_exec(descriptor, 1) }
    workers = state.workers
    counters = state.counters
    hasServed = true
  }
}

extension Supervisor.Setup {
  /// Reads a configuration with its files and opens its sockets, as far as they are not open already; nil, with a line
  /// for each reason, where that cannot be.
  static func read(
    _ arguments: [String],
    beside present: Supervisor.Setup?,
    _ log: Log
  ) -> Supervisor.Setup? {
    do {
      let (text, configuration) = try ConfigurationText.read(arguments, readFile: TextFile.read)
      let account = try configuration.user.map(UserAccount.lookedUp)
      if let refusals = present?.refusals(of: configuration), !refusals.isEmpty {
        for refusal in refusals { log.line(refusal) }
        return nil
      }
      let threads =
        present?.threads ?? configuration.threads ?? Int(clinux_usable_processors())
      let listeners = present?.listeners ?? HeldListeners()
      return Supervisor.Setup(
        text: text,
        configuration: configuration,
        account: account,
        listeners: try listeners.changed(to: configuration, threads: threads),
        threads: threads
      )
    } catch let problems as Flags.Problems {
      for problem in problems.all { log.line("\(problem)") }
    } catch let failure as ListeningSockets.BindFailure {
      let reason = String(errno: failure.errno)
      log.line("could not listen on \(failure.address): \(reason)")
    } catch {
      log.line("\(error)")
    }
    return nil
  }
}

extension Supervisor.Setup {
  /// As the executable before had it.
  init(_ state: InheritedState) throws(Flags.Problems) {
    self.init(
      text: state.text,
      configuration: try state.text.configuration(),
      account: state.account,
      listeners: state.listeners,
      threads: state.listeners.routes.first?.descriptors.count ?? 1
    )
  }

  /// What another configuration asks for, and cannot have as long as the listening sockets stay open.
  func refusals(of other: Configuration) -> [String] {
    var refusals: [String] = []
    if let wanted = other.threads, wanted != threads {
      refusals.append("--threads stays \(threads) until all is stopped and started")
    }
    for route in other.routes {
      let present = configuration.routes.first { $0.listen == route.listen }
      guard let present, present.listenMode != route.listenMode else { continue }
      refusals.append(
        "--listen-mode of \(route.listen) stays as it is until all is stopped and started"
      )
    }
    return refusals
  }
}

extension UserAccount {
  /// As the machine's files have it.
  static func lookedUp(_ user: String) throws(Flags.Problems) -> UserAccount {
    var texts: [String] = []
    for path in ["/etc/passwd", "/etc/group"] {
      switch TextFile.read(path) {
      case .success(let text): texts.append(text)
      case .failure(let problem): throw Flags.Problems(all: [problem])
      }
    }
    if let account = UserAccount(user, passwd: texts[0], group: texts[1]) { return account }
    let text = "--user \(user): not in /etc/passwd and /etc/group; numbers are USER:GROUP"
    throw Flags.Problems(all: [Flags.Problem(place: "configuration", text: text)])
  }
}
