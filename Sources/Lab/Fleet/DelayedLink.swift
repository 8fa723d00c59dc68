import CLinux

#if canImport(Glibc)
  import Glibc
#endif

/// A cable on which every frame takes its time: two TAP interfaces, and a process that carries frames
/// from the one to the other. (It stands in for tc's netem, which not every kernel has.)
struct DelayedLink {
  /// Nanoseconds, one way.
  private let delay: UInt64
  private var ends: [End]

  /// - Throws: `LabError` where the machine gives no such interface.
  init(from near: String, to far: String, milliseconds: Int) throws {
    delay = UInt64(milliseconds) * 1_000_000
    ends = try [near, far].map { name in
      let descriptor = clinux_open_tap(name)
      guard descriptor >= 0 else {
        throw LabError("no TAP interface \(name): \(String(cString: strerror(-descriptor)))")
      }
      return End(descriptor: descriptor)
    }
  }

  /// Carries frames until an interface is deleted.
  mutating func carry() {
    while true {
      let now = clinux_monotonic_nanoseconds()
      for index in ends.indices { ends[index].deliver(until: now, to: ends[1 - index].descriptor) }
      wait(until: ends.compactMap(\.nextDue).min(), now: now)
      let due = clinux_monotonic_nanoseconds() + delay
      for index in ends.indices where !ends[index].receive(due: due) { return }
    }
  }

  private func wait(until due: UInt64?, now: UInt64) {
    var polled = ends.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
    let milliseconds = due.map { $0 > now ? Int32(($0 - now) / 1_000_000) + 1 : 0 }
    poll(&polled, 2, milliseconds ?? -1)
  }

  /// One interface, and the frames that came in by it and are still under way.
  private struct End {
    let descriptor: Int32
    private var frames: [Frame?] = Array(repeating: nil, count: 8192)
    private var first = 0
    private var count = 0
    private var buffer = [UInt8](repeating: 0, count: 2048)

    private struct Frame {
      var due: UInt64
      var bytes: [UInt8]
    }

    init(descriptor: Int32) {
      self.descriptor = descriptor
    }

    var nextDue: UInt64? { frames[first]?.due }

    /// Takes in what has come; frames beyond what fits are lost, as on any cable.
    ///
    /// - Returns: false where the interface is gone.
    mutating func receive(due: UInt64) -> Bool {
      while true {
        let size = read(descriptor, &buffer, buffer.count)
        guard size > 0 else { return size < 0 && (errno == EAGAIN || errno == EINTR) }
        guard count < frames.count else { continue }
        frames[(first + count) % frames.count] = Frame(due: due, bytes: Array(buffer[..<size]))
        count += 1
      }
    }

    mutating func deliver(until now: UInt64, to descriptor: Int32) {
      while let frame = frames[first], frame.due <= now {
        // An interface that is down, or full, loses the frame.
        _ = frame.bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
        frames[first] = nil
        first = (first + 1) % frames.count
        count -= 1
      }
    }
  }
}
