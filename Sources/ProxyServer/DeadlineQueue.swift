/// Deadlines that all lie equally far ahead, so that the first one set is the first one due. After `delay` was
/// shortened, those behind longer ones come with them.
/// What is over before its deadline stays in the queue and is recognised as over when due.
struct DeadlineQueue<Item> {
  var delay: UInt64
  private var entries: [(deadline: UInt64, item: Item)] = []
  private var head = 0

  init(delay: UInt64) {
    self.delay = delay
  }

  var next: UInt64 { head < entries.count ? entries[head].deadline : .max }

  mutating func add(_ item: Item, now: UInt64) {
    entries.append((now &+ delay, item))
  }

  mutating func popDue(now: UInt64) -> Item? { next <= now ? popFirst() : nil }

  /// Due or not.
  mutating func popFirst() -> Item? {
    guard head < entries.count else { return nil }
    let item = entries[head].item
    head += 1
    if head >= 1024, head * 2 >= entries.count {
      entries.removeFirst(head)
      head = 0
    } else if head == entries.count {
      entries.removeAll(keepingCapacity: head < 1024)
      head = 0
    }
    return item
  }
}
