/// The threads of a proxy: the leader on the thread that runs them, each other server on one of its own.
struct ServerThreads {
  let configuration: Configuration
  let sockets: ListeningSockets
  /// One for each thread.
  let shares: [ThreadShare]
  let log: Log
  var supervision = Supervision()

  /// A loop for each thread, or nil when the kernel refuses one of them.
  static func loops<Loop: EventLoop>(_ count: Int, _ make: () -> Loop?) -> [Loop]? {
    var loops: [Loop] = []
    for _ in 0..<count {
      guard let loop = make() else { return nil }
      loops.append(loop)
    }
    return loops
  }

  /// Serves until all threads are stopped and drained; false when the kernel has no room for a thread.
  func run(_ loops: sending [some EventLoop]) -> Bool {
    let gates = ShadowGates(configuration)
    var started: [ServerThread] = []
    defer { for thread in started { thread.join() } }
    for (share, loop) in zip(shares, loops).dropFirst() {
      // Each loop is handed to one thread, and not used again here.
      nonisolated(unsafe) let handedOver = loop
      guard let thread = ServerThread({ serve(share, gates, handedOver) }) else {
        for share in shares.dropFirst().prefix(started.count) {
          share.mailbox.post(.stop)
          share.mailbox.post(.stop)
        }
        return false
      }
      started.append(thread)
    }
    serve(shares[0], gates, loops[0])
    return true
  }

  private func serve(_ share: ThreadShare, _ gates: ShadowGates, _ loop: some EventLoop) {
    Server(
      configuration,
      loop: loop,
      sockets: sockets,
      share: share,
      gates: gates,
      log: log,
      supervision: supervision
    ).run()
  }
}
