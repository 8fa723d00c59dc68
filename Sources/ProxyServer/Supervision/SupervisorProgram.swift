import CLinux
import Glibc

/// How a supervisor begins: by itself, as the successor of another executable in its process, or on trial for that.
enum SupervisorProgram {
  /// 0 done, 1 could not start, 64 wrong usage.
  static func main(_ words: [String], _ configuration: Configuration) -> Int32 {
    let log = Log()
    let signals = clinux_signal_descriptor()
    // A listening socket a route and thread may be many; the worker inherits the limit.
    guard signals >= 0, clinux_raise_descriptor_limit() > 0 else {
      log.line("could not start: the kernel refused a descriptor or to hold signals back")
      return 1
    }
    guard
      let setup = Supervisor.Setup.read(Array(words.dropFirst()), beside: nil, log)
    else { return 1 }
    let running = Log.running(setup.configuration)
    for (held, route) in zip(setup.listeners.routes, setup.configuration.routes) {
      let shadows = route.shadows.map(\.description).joined(separator: ", ")
      running.line(
        "listening on \(held.address), primary \(route.primary), shadows \(shadows.isEmpty ? "none" : shadows)"
      )
    }
    for held in setup.listeners.admin { running.line("admin endpoint on \(held.address)") }
    return Supervisor(setup, signals: signals, path: path(words[0]), words: words).run()
  }

  /// `duplex-proxy trial FLAG…`, with an `InheritedState` on descriptor 3: whether this executable could take over, and
  /// the configuration is one that it understands. Then it appends its `TrialProof` there, and changes nothing else.
  static func trial(_ arguments: [String]) -> Int32 {
    let (log, file) = (Log(), WorkerProgram.control)
    guard let state = state(MemoryFile.content(file), log) else { return 1 }
    let status = tryConfiguration(arguments, after: state, log)
    guard status == 0 else { return status }
    return TrialProof().append(to: file) ? 0 : 1
  }

  private static func tryConfiguration(
    _ arguments: [String],
    after state: InheritedState,
    _ log: Log
  ) -> Int32 {
    do {
      let configuration = try ConfigurationText.read(arguments, readFile: TextFile.read)
        .configuration
      _ = try configuration.user.map(UserAccount.lookedUp)
      let refusals = try Supervisor.Setup(state).refusals(of: configuration)
      guard refusals.isEmpty else {
        for refusal in refusals { log.line(refusal) }
        return 1
      }
      guard configuration.engine == .uring, UringLoop() == nil else { return 0 }
      log.line("the kernel has no io_uring for this process (Linux 6.1 has)")
      return 1
    } catch {
      for problem in error.all { log.line("\(problem)") }
      return 64
    }
  }

  /// Goes on for an executable that has run in this process before; nil when none has.
  static func succeed(_ words: [String]) -> Int32? {
    guard let descriptor = InheritedState.descriptor else { return nil }
    unsetenv(InheritedState.variable)
    let log = Log(isDated: true)
    let signals = clinux_signal_descriptor()
    guard signals >= 0, let state = state(MemoryFile.read(descriptor), log) else { return 1 }
    do {
      let setup = try Supervisor.Setup(state)
      let supervisor = Supervisor(setup, signals: signals, path: state.path, words: words)
      if state.executable >= 0 { supervisor.takeOver(state) } else { supervisor.goOn(state) }
      return supervisor.run()
    } catch {
      for problem in error.all { log.line("\(problem)") }
      return 1
    }
  }

  private static func state(_ bytes: [UInt8], _ log: Log) -> InheritedState? {
    do {
      return try InheritedState(bytes)
    } catch {
      log.line("what duplex-proxy would hand over is in no form that \(Version.text) understands")
      return nil
    }
  }

  /// The path by which the process was started, so that a symlink may be turned to the next executable; where it was
  /// looked for in PATH, the executable's own.
  private static func path(_ name: String) -> String {
    if name.hasPrefix("/") { return name }
    if name.contains("/") { return link("/proc/self/cwd") + "/" + name }
    return link("/proc/self/exe")
  }

  private static func link(_ path: String) -> String {
    var buffer = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = buffer.withUnsafeMutableBytes {
      readlink(path, $0.baseAddress!.assumingMemoryBound(to: CChar.self), $0.count)
    }
    return String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
  }
}
