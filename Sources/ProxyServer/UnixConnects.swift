import CLinux

/// Connects to unix sockets whose accept queue is full: the kernel refuses such a one at once (`EAGAIN`) or blocks its
/// thread, and tells nobody when there is room. They wait in a line for each address, whose first is tried now and then.
struct UnixConnects {
  /// Nanoseconds from one try to the next.
  private static let interval: UInt64 = 2_000_000
  /// So many connects succeed, or fail for good, in one turn.
  static let share = 32

  private struct Line {
    let address: SocketAddress
    /// Those that come before `first` have had their turn.
    var sockets: [SocketID]
    var first = 0

    var isOver: Bool { first == sockets.count }

    mutating func skipUnwanted(_ isWanted: (SocketID) -> Bool) {
      while !isOver, !isWanted(sockets[first]) { first += 1 }
      guard first >= 1024, first * 2 >= sockets.count else { return }
      sockets.removeFirst(first)
      first = 0
    }
  }

  /// One for each address without room; few.
  private var lines: [Line] = []
  /// Monotonic nanoseconds; `.max` when none wait.
  private(set) var next = UInt64.max

  /// Tries to connect, unless others wait for the address, who come first. False where the socket has to wait: then it
  /// stands in the line.
  ///
  /// - Parameter connect: false where there is no room.
  mutating func begin(
    _ socket: SocketID,
    to address: SocketAddress,
    connect: (SocketID, SocketAddress) -> Bool
  ) -> Bool {
    if !isFull(address), connect(socket, address) { return true }
    add(socket, to: address, now: clinux_monotonic_nanoseconds())
    return false
  }

  func isFull(_ address: SocketAddress) -> Bool { lines.contains { $0.address == address } }

  mutating func add(_ socket: SocketID, to address: SocketAddress, now: UInt64) {
    if let index = lines.firstIndex(where: { $0.address == address }) {
      lines[index].sockets.append(socket)
    } else {
      lines.append(Line(address: address, sockets: [socket]))
    }
    if next == .max { next = now &+ Self.interval }
  }

  /// If it is time: tries the first of each line, and those behind it until one finds no room.
  ///
  /// - Parameter connect: false where there is no room.
  mutating func retry(
    now: UInt64,
    isWanted: (SocketID) -> Bool,
    connect: (SocketID, SocketAddress) -> Bool
  ) {
    guard next <= now else { return }
    var left = Self.share
    for index in lines.indices {
      lines[index].skipUnwanted(isWanted)
      while left > 0, !lines[index].isOver,
        connect(lines[index].sockets[lines[index].first], lines[index].address)
      {
        left -= 1
        lines[index].first += 1
        lines[index].skipUnwanted(isWanted)
      }
    }
    lines.removeAll(where: \.isOver)
    next = lines.isEmpty ? .max : left == 0 ? now : now &+ Self.interval
  }
}
