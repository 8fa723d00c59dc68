import CLinux
import Glibc
import Testing

@testable import ProxyServer

/// The built duplex-proxy as a process of its own.
final class Executable {
  let pid: pid_t
  let port: UInt16
  let admin: SocketAddress
  private let log: FileLog

  static var path: String { path(of: "duplex-proxy") }

  /// Beside the test bundle; SwiftPM builds it because the tests depend on it.
  static func path(of program: String) -> String {
    var buffer = [CChar](repeating: 0, count: 4096)
    let count = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    let own = String(
      decoding: buffer.prefix(max(0, count)).map(UInt8.init(bitPattern:)),
      as: UTF8.self
    )
    return own.split(separator: "/").dropLast().reduce("") { $0 + "/" + $1 } + "/" + program
  }

  /// Starts it from a shell that sets its limits, and waits until it is healthy or `waits` is false.
  /// `path` is another name for it.
  init(
    _ flags: [String],
    descriptors: Int = 1024,
    path: String = Executable.path,
    port: UInt16 = unusedPort(),
    adminPort: UInt16 = unusedPort()
  ) throws {
    let admin = SocketAddress(literal: "127.0.0.1", port: adminPort)!
    log = FileLog()
    let words = ["--bind", "127.0.0.1", "-l", "\(port)", "--admin", "\(admin)"] + flags
    // AddressSanitizer, where it is built with that, looks for leaks in /proc, which a worker may not read.
    let script = """
      ulimit -n \(descriptors)
      export ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0"
      exec "$0" "$@" 2>\(log.path)
      """
    pid = try Self.spawn(["/bin/sh", "-c", script, path] + words)
    self.port = port
    self.admin = admin
    let isUp = TestProxy.eventually(
      { unlessLost { try Peer(connectingTo: admin.port!) } },
      isReached: { $0 != nil }
    )
    try #require(isUp).close()
  }

  var logged: String { log.text }

  /// Its worker, once there is exactly one.
  func worker() throws -> pid_t {
    let children = TestProxy.eventually({ childProcesses }, isReached: { $0.count == 1 })
    try #require(children.count == 1)
    return children[0]
  }

  /// Workers, and what else it has started and not buried.
  var childProcesses: [pid_t] {
    guard case .success(let text) = TextFile.read("/proc/\(pid)/task/\(pid)/children") else {
      return []
    }
    return text.split(separator: " ").compactMap { pid_t($0) }
  }

  /// One of its metrics, summed over its labels.
  func metric(_ name: String) throws -> Int {
    let page = try Self.output(["ask", "/metrics", "--admin", "\(admin)"]).text
    return page.split(separator: "\n").reduce(0) { sum, line in
      let words = line.split(separator: " ")
      guard words.count == 2, words[0] == name || words[0].hasPrefix(name + "{") else { return sum }
      return sum + (Int(words[1]) ?? 0)
    }
  }

  func signal(_ number: Int32) { kill(pid, number) }

  /// Limits how many threads the user of whatever it starts from now on may have.
  func limitThreads(to count: Int) throws {
    let pid = try Self.spawn(["/usr/bin/prlimit", "--pid", "\(pid)", "--nproc=\(count)"])
    var status: Int32 = -1
    waitpid(pid, &status, 0)
    try #require(status == 0)
  }

  /// The exit status, or nil when it does not end within the deadline; then it is killed.
  func exitStatus(seconds: Double = 10) -> Int32? {
    var status: Int32 = 0
    let ended = TestProxy.eventually(
      seconds: seconds,
      { waitpid(pid, &status, WNOHANG) },
      isReached: { $0 == pid }
    )
    if ended != pid {
      kill(pid, SIGKILL)
      waitpid(pid, &status, 0)
      return nil
    }
    return status & 0x7f == 0 ? (status >> 8) & 0xff : nil
  }

  /// Runs it, or another program, to its end with both streams in one text.
  static func output(
    _ words: [String],
    of path: String = Executable.path
  ) throws -> (status: Int32, text: String) {
    let log = FileLog()
    let pid = try spawn(["/bin/sh", "-c", "exec \"$0\" \"$@\" >\(log.path) 2>&1", path] + words)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    return ((status >> 8) & 0xff, log.text)
  }

  static func unusedPort() -> UInt16 {
    let listener = Listener()
    defer { listener.close() }
    return listener.port
  }

  private static func spawn(_ words: [String]) throws -> pid_t {
    var pid = pid_t()
    var arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    try #require(posix_spawn(&pid, words[0], nil, nil, &arguments, environ) == 0)
    return pid
  }
}

/// A file of its own that goes with the value.
private final class FileLog {
  let path: String

  init() {
    var template = Array("/tmp/duplex-proxy-test-XXXXXX".utf8CString)
    close(mkstemp(&template))
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  deinit { unlink(path) }

  var text: String {
    switch TextFile.read(path) {
    case .success(let text): text
    case .failure(let problem): problem.text
    }
  }
}
