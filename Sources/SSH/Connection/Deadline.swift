/// A moment by which something must have happened.
struct Deadline {
  private let instant: ContinuousClock.Instant

  static func after(_ duration: Duration) -> Deadline {
    Deadline(instant: .now + duration)
  }

  var remaining: Duration { max(.zero, ContinuousClock.now.duration(to: instant)) }
  var hasPassed: Bool { remaining == .zero }

  /// The same deadline with time added that was not the machine's fault.
  func extended(by duration: Duration) -> Deadline {
    Deadline(instant: instant + duration)
  }
}

extension Duration {
  /// Milliseconds for poll(2), rounded up so that a wait never turns into a spin.
  var pollMilliseconds: Int32 {
    let (seconds, attoseconds) = components
    let milliseconds = seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return Int32(clamping: milliseconds)
  }
}
