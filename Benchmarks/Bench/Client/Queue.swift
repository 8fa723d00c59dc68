/// A queue of connection numbers that never holds more than it was made for.
struct Queue {
  private var ring: [Int]
  private var first = 0
  private(set) var count = 0

  init(capacity: Int) {
    ring = Array(repeating: 0, count: capacity)
  }

  var isEmpty: Bool { count == 0 }

  mutating func append(_ index: Int) {
    precondition(count < ring.count, "a connection was queued twice")
    ring[(first + count) % ring.count] = index
    count += 1
  }

  mutating func removeFirst() -> Int {
    precondition(count > 0, "the queue is empty")
    let index = ring[first]
    first = (first + 1) % ring.count
    count -= 1
    return index
  }

  mutating func removeAll() {
    first = 0
    count = 0
  }
}
