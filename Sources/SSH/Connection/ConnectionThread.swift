#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// The thread of one connection, as the executor of its actor: whatever the connection does may
/// block without holding up anybody else.
///
/// `@unchecked Sendable`: `jobs` and `stopped` are touched only between lock and unlock of `mutex`.
final class ConnectionThread: SerialExecutor, @unchecked Sendable {
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var jobs: [UnownedJob] = []
  private var stopped = false

  /// Starts the thread. It holds on to its executor until `stop`.
  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
    start()
  }

  /// Lets the thread end once nothing is left to do. Does not wait for it: the caller may be on it.
  func stop() {
    pthread_mutex_lock(mutex)
    stopped = true
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  func enqueue(_ job: consuming ExecutorJob) {
    pthread_mutex_lock(mutex)
    jobs.append(UnownedJob(job))
    pthread_cond_signal(condition)
    pthread_mutex_unlock(mutex)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }
}

extension ConnectionThread {
  private func start() {
    let box = Unmanaged.passRetained(self)
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    let result = pthread_create(&thread, nil, connectionThreadMain, box.toOpaque())
    precondition(result == 0, "no thread to be had for a connection: error \(result)")
    #if canImport(Darwin)
      if let thread { pthread_detach(thread) }
    #else
      pthread_detach(thread)
    #endif
  }

  fileprivate func runJobs() {
    while let job = nextJob() {
      job.runSynchronously(on: asUnownedSerialExecutor())
    }
  }

  private func nextJob() -> UnownedJob? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while jobs.isEmpty && !stopped { pthread_cond_wait(condition, mutex) }
    return jobs.isEmpty ? nil : jobs.removeFirst()
  }
}

#if canImport(Darwin)
  private func connectionThreadMain(_ box: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
    Unmanaged<ConnectionThread>.fromOpaque(box).takeRetainedValue().runJobs()
    return nil
  }
#else
  private func connectionThreadMain(_ box: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let box else { return nil }
    Unmanaged<ConnectionThread>.fromOpaque(box).takeRetainedValue().runJobs()
    return nil
  }
#endif
