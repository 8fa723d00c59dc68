import CLinux
import Glibc

/// A program that was started, and that is ended with its owner whatever happens: by `deinit`, or by the
/// kernel should this process die first.
final class Program {
  let name: String
  let process: pid_t
  private let log: String
  private var hasEnded = false

  /// Starts it on the given processors; what it prints goes to `log`.
  init(_ name: String, _ words: [String], log: String, on processors: Processors) throws {
    self.name = name
    self.log = log
    let output = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard output >= 0 else { throw BenchError.system("opening \(log)", errno) }
    defer { close(output) }
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    process = clinux_spawn(&arguments, output, processors.mask)
    guard process > 0 else { throw BenchError.system("starting \(name)", -process) }
  }

  deinit {
    end()
  }

  /// Ends it by SIGTERM, or two seconds later by SIGKILL.
  func end() {
    if hasEnded { return }
    kill(process, SIGTERM)
    if !isReaped(within: 2) {
      kill(process, SIGKILL)
      waitpid(process, nil, 0)
    }
    hasEnded = true
  }

  /// Waits for it to end by itself; for programs that say a thing and end.
  func awaitEnd() {
    if !hasEnded { waitpid(process, nil, 0) }
    hasEnded = true
  }

  /// What it has printed.
  var output: String { TextFile.read(log) ?? "" }

  /// Whether it is gone, though nobody has ended it.
  var hasEndedByItself: Bool {
    if !hasEnded { hasEnded = waitpid(process, nil, WNOHANG) != 0 }
    return hasEnded
  }

  /// Waits until it accepts connections there.
  func expectListening(on port: LoopbackPort) throws {
    let deadline = clinux_monotonic_nanoseconds() + 5_000_000_000
    while clinux_monotonic_nanoseconds() < deadline {
      if clinux_stop_noted() != 0 { throw BenchError.interrupted }
      if hasEndedByItself { throw BenchError.ended(name: name, output: output) }
      let descriptor = clinux_blocking_stream_socket(AF_INET)
      defer { close(descriptor) }
      if port.withAddress({ clinux_connect(descriptor, $0, $1) }) == 0 { return }
      usleep(5000)
    }
    throw BenchError.neverReady(name: name, output: output)
  }

  private func isReaped(within seconds: UInt64) -> Bool {
    let deadline = clinux_monotonic_nanoseconds() + seconds * 1_000_000_000
    while clinux_monotonic_nanoseconds() < deadline {
      if waitpid(process, nil, WNOHANG) != 0 { return true }
      usleep(2000)
    }
    return false
  }
}

// MARK: The kernel's accounts

extension Program {
  /// The process and its children: nginx is a master with a worker.
  var family: [pid_t] {
    let children = TextFile.read("/proc/\(process)/task/\(process)/children") ?? ""
    return [process] + children.split { $0 == " " || $0 == "\n" }.compactMap { pid_t($0) }
  }

  /// CPU time of all of them, in nanoseconds.
  func cpuNanoseconds() throws -> Int64 {
    try family.reduce(0) { sum, process in
      let time = clinux_cpu_nanoseconds(process)
      guard time >= 0 else { throw BenchError.system("CPU time of \(name)", Int32(-time)) }
      return sum + time
    }
  }

  /// How long their threads that live were ready to run and did not, since somebody else did; in nanoseconds.
  func waitedNanoseconds() -> Int64 {
    let threads = family.flatMap { process in
      TextFile.names(in: "/proc/\(process)/task").map { "/proc/\(process)/task/\($0)" }
    }
    return threads.reduce(0) { sum, thread in
      // Time on a processor, time waiting for one, number of turns.
      let numbers = (TextFile.read(thread + "/schedstat") ?? "").split(separator: " ")
      return sum + (numbers.count > 1 ? Int64(numbers[1]) ?? 0 : 0)
    }
  }

  /// Resident memory of all of them, in bytes.
  func residentBytes() throws -> Int {
    try family.reduce(0) { sum, process in
      let lines = (TextFile.read("/proc/\(process)/smaps_rollup") ?? "").split(separator: "\n")
      let words = lines.first { $0.hasPrefix("Rss:") }?.split(separator: " ") ?? []
      guard words.count == 3, let kilobytes = Int(words[1]) else {
        throw BenchError.system("memory of \(name)", ESRCH)
      }
      return sum + kilobytes * 1024
    }
  }

  /// The greatest resident memory each of them has had, summed, in bytes.
  func peakResidentBytes() throws -> Int {
    try family.reduce(0) { sum, process in
      let lines = (TextFile.read("/proc/\(process)/status") ?? "").split(separator: "\n")
      let words = lines.first { $0.hasPrefix("VmHWM:") }?.split { $0 == " " || $0 == "\t" } ?? []
      guard words.count == 3, let kilobytes = Int(words[1]) else {
        throw BenchError.system("memory of \(name)", ESRCH)
      }
      return sum + kilobytes * 1024
    }
  }

  /// Moves it and its children, each of one thread, to other processors.
  func move(to processors: Processors) throws {
    for process in family {
      let result = clinux_pin(process, processors.mask)
      guard result == 0 else { throw BenchError.system("moving \(name)", -result) }
    }
  }
}
