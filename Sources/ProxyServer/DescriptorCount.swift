import Synchronization

/// How many descriptors the process has open and may have: one count for all threads.
final class DescriptorCount: Sendable {
  let limit: Int
  private let open: Atomic<Int>

  init(limit: Int, open: Int) {
    self.limit = limit
    self.open = Atomic(open)
  }

  var current: Int { open.load(ordering: .relaxed) }

  func opened() { open.add(1, ordering: .relaxed) }

  func closed() { open.subtract(1, ordering: .relaxed) }
}
