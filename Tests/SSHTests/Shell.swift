import Glibc
import Testing

/// The tools that tests need around what they test, run by /bin/sh.
enum Shell {
  struct Failure: Error { var script: String, output: String }

  /// What the script printed, without the last newline.
  @discardableResult
  static func run(_ script: String) throws -> String {
    guard let pipe = popen("{ \(script)\n} 2>&1", "re") else {
      throw Failure(script: script, output: "errno \(errno)")
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = fread(&buffer, 1, buffer.count, pipe)
      guard count > 0 else { break }
      output.append(contentsOf: buffer[..<count])
    }
    let status = pclose(pipe)
    if output.last == UInt8(ascii: "\n") { output.removeLast() }
    let text = String(decoding: output, as: UTF8.self)
    guard status == 0 else { throw Failure(script: script, output: text) }
    return text
  }

  static func ignoringFailure(_ script: String) {
    do {
      _ = try run(script)
    } catch {
      // Ignored: cleaning up what may never have been made.
    }
  }

  /// Starts a script that goes on by itself, until `end`.
  static func start(_ script: String) throws -> pid_t {
    var process = pid_t()
    let words = ["/bin/sh", "-c", script]
    let arguments = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    // The threads that tests run on block signals, and a child inherits that.
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
    let result = posix_spawn(&process, "/bin/sh", nil, &attributes, arguments, environ)
    guard result == 0 else { throw Failure(script: script, output: "errno \(result)") }
    return process
  }

  static func end(_ process: pid_t) {
    kill(process, SIGTERM)
    var status: Int32 = 0
    waitpid(process, &status, 0)
  }
}

/// Ports for servers that cannot be told to pick one themselves.
enum FreePort {
  struct NobodyListens: Error { var port: Int }

  /// A port that nobody listens on now.
  static func find() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withSocketAddress(&address) { bind(descriptor, $0, length) }
    let named = withSocketAddress(&address) { getsockname(descriptor, $0, &length) }
    guard bound == 0, named == 0 else { throw NobodyListens(port: 0) }
    return Int(UInt16(bigEndian: address.sin_port))
  }

  /// Returns once somebody accepts connections there; five seconds at most.
  static func awaitListener(on port: Int) throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(5)
    while clock.now < deadline {
      let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      defer { close(descriptor) }
      var address = loopback(port: port)
      let length = socklen_t(MemoryLayout<sockaddr_in>.size)
      if withSocketAddress(&address, { connect(descriptor, $0, length) }) == 0 { return }
      usleep(10_000)
    }
    throw NobodyListens(port: port)
  }

  private static func loopback(port: Int) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    return address
  }

  private static func withSocketAddress(
    _ address: inout sockaddr_in,
    _ body: (UnsafeMutablePointer<sockaddr>) -> Int32
  ) -> Int32 {
    withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
    }
  }
}
