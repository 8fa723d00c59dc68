/// Descriptors that are still to be closed by a reset, a few each turn: a reset frees what the peer has not taken, which may
/// be a megabyte of the kernel's for each, and thousands of copies may be given up at once.
struct ResetBacklog {
  /// Some hundred microseconds when each of them is full.
  private static let share = 4

  private var waiting: [(descriptor: Int32, hasRequests: Bool)] = []
  private var head = 0

  var isEmpty: Bool { waiting.isEmpty }

  /// - Parameter hasRequests: whether the kernel is still at work on something asked of it for this descriptor.
  mutating func add(_ descriptor: Int32, hasRequests: Bool = false) {
    waiting.append((descriptor, hasRequests))
  }

  /// Hands over a turn's share to be closed, the oldest first.
  mutating func next(_ close: (_ descriptor: Int32, _ hasRequests: Bool) -> Void) {
    take(Self.share, close)
  }

  mutating func all(_ close: (_ descriptor: Int32, _ hasRequests: Bool) -> Void) {
    take(waiting.count, close)
  }

  private mutating func take(
    _ count: Int,
    _ close: (_ descriptor: Int32, _ hasRequests: Bool) -> Void
  ) {
    let end = min(waiting.count, head + count)
    for (descriptor, hasRequests) in waiting[head..<end] { close(descriptor, hasRequests) }
    head = end
    guard head == waiting.count else { return }
    waiting.removeAll(keepingCapacity: waiting.count < 1024)
    head = 0
  }
}
