import Glibc

/// Lines on standard error, each written at once.
package struct Log: Sendable {
  private let descriptor: Int32
  private let isVerbose: Bool

  package init(descriptor: Int32 = STDERR_FILENO, isVerbose: Bool = false) {
    self.descriptor = descriptor
    self.isVerbose = isVerbose
  }

  package func line(_ text: String) {
    // A full pipe that nobody reads would otherwise stop every connection.
    var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
    guard poll(&entry, 1, 0) == 1 else { return }
    var line = Array("duplex-proxy: \(text)\n".utf8)
    // Ignored: a log that nobody can take must not stop the relay.
    _ = write(descriptor, &line, line.count)
  }

  /// Only with --verbose; the text is not even made otherwise.
  package func detail(_ text: @autoclosure () -> String) {
    if isVerbose { line(text()) }
  }
}
