import CURing
import Glibc

/// Buffers of one size that the kernel chooses from when bytes have come: idle sockets hold none.
final class BufferGroup {
  let number: UInt16
  private let size: Int
  private let count: UInt32
  private let ring: UnsafeMutablePointer<io_uring_buf_ring>
  private let ringSize: Int
  private let memory: UnsafeMutableRawPointer

  /// Nil when there is no memory, or the kernel does not take it.
  ///
  /// - Parameter count: a power of two.
  init?(_ uring: UnsafeMutablePointer<io_uring>, _ number: UInt16, size: Int, count: Int) {
    self.number = number
    self.size = size
    self.count = UInt32(count)
    ringSize = curing_buffer_ring_size(UInt32(count))
    guard let ring = Self.map(ringSize) else { return nil }
    guard let memory = Self.map(size * count) else {
      munmap(ring, ringSize)
      return nil
    }
    self.ring = ring.assumingMemoryBound(to: io_uring_buf_ring.self)
    self.memory = memory
    guard curing_provide(uring, self.ring, self.count, number) == 0 else { return nil }
    for index in 0..<UInt16(count) { give(index) }
  }

  deinit {
    munmap(ring, ringSize)
    munmap(memory, size * Int(count))
  }

  func address(_ index: UInt16) -> UnsafeRawPointer {
    UnsafeRawPointer(memory + Int(index) * size)
  }

  /// Gives a buffer to the kernel.
  func give(_ index: UInt16) {
    curing_give(ring, count, memory + Int(index) * size, UInt32(size), index)
  }

  private static func map(_ size: Int) -> UnsafeMutableRawPointer? {
    let memory = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
    return memory == MAP_FAILED ? nil : memory
  }
}
