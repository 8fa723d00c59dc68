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
  ///
  /// - Parameter isToServe: asked when there is a thread for each, of which none has touched a socket.
  func run(_ loops: sending [some EventLoop], if isToServe: () -> Bool = { true }) -> Bool {
    let gates = ShadowGates(configuration)
    let start = StartingGate()
    var others: [ServerThread] = []
    defer { for thread in others { thread.join() } }
    let isOpen = start.open {
      for (share, loop) in zip(shares, loops).dropFirst() {
        // Each loop is handed to one thread, and not used again here.
        nonisolated(unsafe) let handedOver = loop
        let thread = ServerThread { if start.isOpen { serve(share, gates, handedOver) } }
        guard let thread else { return false }
        others.append(thread)
      }
      return isToServe()
    }
    if isOpen { serve(shares[0], gates, loops[0]) }
    return others.count + 1 == shares.count
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
