import CLinux
import Glibc

/// The memory of a loop's queues: blocks of one size, so that whatever was freed serves whatever comes, and a burst
/// leaves no holes behind. What was needed once is kept: the next burst finds memory that the kernel has given already.
final class BlockPool {
  static let blockSize = 16 << 10
  private static let slabSize = 2 << 20

  private var free: [UnsafeMutableRawPointer] = []
  private var slabs: [UnsafeMutableRawPointer] = []

  deinit { for slab in slabs { munmap(slab, Self.slabSize) } }

  func take() -> UnsafeMutableRawPointer {
    if free.isEmpty { addSlab() }
    return free.removeLast()
  }

  func give(_ block: UnsafeMutableRawPointer) { free.append(block) }

  private func addSlab() {
    // As where any other memory is asked for: without it nothing can be relayed, and the supervisor starts another worker.
    guard let slab = clinux_map_small_pages(Self.slabSize) else {
      fatalError("the kernel has no memory left for what sockets are owed")
    }
    slabs.append(slab)
    for offset in stride(from: Self.slabSize - Self.blockSize, through: 0, by: -Self.blockSize) {
      free.append(slab + offset)
    }
  }
}
