import Glibc

/// A thread with a body, to be joined.
final class ServerThread {
  private final class Body {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }

  private let thread: pthread_t

  /// Nil when the kernel has no room for another thread.
  ///
  /// - Parameter body: runs on the new thread alone: what it holds must not be used by the one that makes it.
  init?(_ body: sending @escaping () -> Void) {
    var thread = pthread_t()
    let argument = Unmanaged.passRetained(Body(body))
    let result = pthread_create(
      &thread,
      nil,
      { argument in
        Unmanaged<Body>.fromOpaque(argument!).takeRetainedValue().run()
        return nil
      },
      argument.toOpaque()
    )
    guard result == 0 else {
      argument.release()
      return nil
    }
    self.thread = thread
  }

  func join() { pthread_join(thread, nil) }
}
