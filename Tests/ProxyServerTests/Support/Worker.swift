import Glibc
import Synchronization

/// A thread of its own with a result, for peers that block.
final class Worker<Value: Sendable>: Sendable {
  private let box: Box
  private let thread: Mutex<pthread_t?>

  private final class Box: Sendable {
    let body: @Sendable () -> Value
    let value = Mutex<Value?>(nil)

    init(_ body: @escaping @Sendable () -> Value) { self.body = body }

    func run() {
      let result = body()
      value.withLock { $0 = result }
    }
  }

  init(_ body: @escaping @Sendable () -> Value) {
    let box = Box(body)
    self.box = box
    var thread = pthread_t()
    let run = Unmanaged.passRetained(Run { box.run() }).toOpaque()
    let result = pthread_create(&thread, nil, Worker.entry, run)
    precondition(result == 0, "no thread: error \(result)")
    self.thread = Mutex(thread)
  }

  /// Waits for the end; every peer's wait has a deadline, so this one needs none.
  func value() -> Value {
    thread.withLock {
      guard let thread = $0 else { return }
      pthread_join(thread, nil)
      $0 = nil
    }
    return box.value.withLock { $0! }
  }

  private static var entry: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    { argument in
      Unmanaged<Run>.fromOpaque(argument!).takeRetainedValue().body()
      return nil
    }
  }
}

private final class Run {
  let body: () -> Void
  init(_ body: @escaping () -> Void) { self.body = body }
}
