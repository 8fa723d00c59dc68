import Synchronization
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The signals that would end or stop the program, held for the time of a question: whichever thread
/// gets one, it arrives here as a byte in a pipe. What was in force before comes back with `release`.
struct HeldSignals: ~Copyable {
  private static let held = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP]

  private let readEnd: FileDescriptor
  private let writeEnd: FileDescriptor
  private var before: [sigaction] = []

  init() throws {
    (readEnd, writeEnd) = try FileDescriptor.pipe()
    signalPipe.store(writeEnd.rawValue, ordering: .sequentiallyConsistent)
    for signal in Self.held {
      var action = sigaction()
      #if canImport(Darwin)
        action.__sigaction_u.__sa_handler = noteSignal
      #else
        action.__sigaction_handler.sa_handler = noteSignal
      #endif
      var previous = sigaction()
      sigaction(signal, &action, &previous)
      before.append(previous)
    }
  }

  /// Waits until the terminal has something to read. Nil, unless a signal came first.
  func waitForInput(on terminal: FileDescriptor) throws -> Int32? {
    var polled = [
      pollfd(fd: terminal.rawValue, events: Int16(POLLIN), revents: 0),
      pollfd(fd: readEnd.rawValue, events: Int16(POLLIN), revents: 0),
    ]
    while poll(&polled, nfds_t(polled.count), -1) < 0 {
      guard errno == EINTR else { throw Errno(rawValue: errno) }
    }
    guard polled[1].revents != 0 else { return nil }
    var signal: UInt8 = 0
    _ = try withUnsafeMutableBytes(of: &signal) { try readEnd.read(into: $0) }
    return Int32(signal)
  }

  /// Gives the signals back to whoever had them.
  consuming func release() {
    for (signal, var previous) in zip(Self.held, before) { sigaction(signal, &previous, nil) }
    signalPipe.store(-1, ordering: .sequentiallyConsistent)
    for end in [readEnd, writeEnd] {
      do {
        try end.close()
      } catch {
        // Ignored: a pipe of our own has nothing to lose.
      }
    }
  }
}

/// Where a signal handler writes: one question at a time is asked, and a handler is given no other
/// way to find it.
private let signalPipe = Atomic<Int32>(-1)

private func noteSignal(_ signal: Int32) {
  let saved = errno
  var byte = UInt8(truncatingIfNeeded: signal)
  // Ignored: a full pipe has signals enough in it.
  _ = write(signalPipe.load(ordering: .sequentiallyConsistent), &byte, 1)
  errno = saved
}
