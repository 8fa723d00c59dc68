/// Connects to unix sockets whose accept queue is full: the kernel refuses such a one at once (`EAGAIN`) or blocks its
/// thread, and tells nobody when there is room. They are tried again now and then, in the order they came in.
struct UnixConnects {
  /// Nanoseconds from one try to the next.
  private static let interval: UInt64 = 2_000_000

  private var waiting: [(socket: SocketID, address: SocketAddress)] = []
  /// One for each address that had no room at the last try; few.
  private var full: [SocketAddress] = []
  /// Monotonic nanoseconds; `.max` when none wait.
  private(set) var next = UInt64.max

  /// Whether others wait for it, who come first.
  func isFull(_ address: SocketAddress) -> Bool { full.contains(address) }

  mutating func add(_ socket: SocketID, to address: SocketAddress, now: UInt64) {
    waiting.append((socket, address))
    if !full.contains(address) { full.append(address) }
    if next == .max { next = now &+ Self.interval }
  }

  /// Tries those that are due and still wanted, until one finds its address without room.
  ///
  /// - Parameter connect: false where there is no room.
  mutating func retry(
    now: UInt64,
    isWanted: (SocketID) -> Bool,
    connect: (SocketID, SocketAddress) -> Bool
  ) {
    guard next <= now else { return }
    full.removeAll()
    waiting.removeAll { socket, address in
      guard isWanted(socket) else { return true }
      if full.contains(address) { return false }
      if connect(socket, address) { return true }
      full.append(address)
      return false
    }
    next = waiting.isEmpty ? .max : now &+ Self.interval
  }
}
