import Dispatch
import Engine

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Turns the first SIGINT or SIGTERM into a request to stop and put back; the second one ends the
/// program at once, with the status for machines that need hands.
final class InterruptSignals {
  private let sources: [any DispatchSourceSignal]

  /// - Parameters:
  ///   - announce: told of the first signal.
  ///   - leave: told of the second one, before the program ends.
  init(
    _ interruption: Interruption,
    announce: @escaping @Sendable () -> Void,
    leave: @escaping @Sendable () -> Void
  ) {
    sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        guard !interruption.isRequested else {
          leave()
          _exit(2)
        }
        interruption.request()
        announce()
      }
      source.resume()
      return source
    }
  }

  func stop() {
    for source in sources { source.cancel() }
    signal(SIGINT, SIG_DFL)
    signal(SIGTERM, SIG_DFL)
  }
}
