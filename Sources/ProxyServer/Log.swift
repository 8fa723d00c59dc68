import Glibc

/// Lines on standard error, each written at once.
package struct Log: Sendable {
  private let descriptor: Int32
  private let isVerbose: Bool
  private let isDated: Bool

  package init(descriptor: Int32 = STDERR_FILENO, isVerbose: Bool = false, isDated: Bool = false) {
    self.descriptor = descriptor
    self.isVerbose = isVerbose
    self.isDated = isDated
  }

  /// Of a program that goes on for days: each line says when.
  static func running(_ configuration: Configuration) -> Log {
    Log(isVerbose: configuration.isVerbose, isDated: true)
  }

  package func line(_ text: String) {
    // A full pipe that nobody reads would otherwise stop every connection.
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&entry, 1, 0) == 1 else { return }
    var line = Array("\(isDated ? "\(Self.now) " : "")duplex-proxy: \(text)\n".utf8)
    // Ignored: a log that nobody can take must not stop the relay.
    _ = write(descriptor, &line, line.count)
  }

  /// As RFC 3339 has it, in UTC.
  private static var now: String {
    var seconds = time(nil)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return String(unsafeUninitializedCapacity: 32) { text in
      text.withMemoryRebound(to: CChar.self) {
        strftime($0.baseAddress!, $0.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
      }
    }
  }

  /// Only with --verbose; the text is not even made otherwise.
  package func detail(_ text: @autoclosure () -> String) {
    if isVerbose { line(text()) }
  }
}
