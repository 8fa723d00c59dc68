import Remote

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// What a socket is ready for.
struct Readiness: OptionSet {
  let rawValue: Int16

  static let input = Readiness(rawValue: Int16(POLLIN))
  static let output = Readiness(rawValue: Int16(POLLOUT))

  /// Waits until the socket is ready for one of `wanted` or has failed, at most so long.
  ///
  /// - Returns: nothing when the time has passed.
  /// - Throws: `.closed` when interrupted.
  static func wait(
    for wanted: Readiness,
    of descriptor: Int32,
    or interruption: Interruption,
    atMost duration: Duration
  ) throws(RemoteError) -> Readiness {
    var polled = [
      pollfd(fd: descriptor, events: wanted.rawValue, revents: 0),
      pollfd(fd: interruption.descriptor, events: Int16(POLLIN), revents: 0),
    ]
    let deadline = Deadline.after(duration)
    while true {
      let count = poll(&polled, nfds_t(polled.count), deadline.remaining.pollMilliseconds)
      guard count >= 0 else {
        precondition(errno == EINTR || errno == EAGAIN, "poll failed: \(errno)")
        continue
      }
      guard polled[1].revents == 0 else {
        throw RemoteError(.closed, detail: "given up by the caller")
      }
      // A hang-up or an error shows at the next read or write: report it as ready for either.
      if polled[0].revents & Int16(POLLHUP | POLLERR | POLLNVAL) != 0 { return wanted }
      return Readiness(rawValue: polled[0].revents)
    }
  }

  /// Waits for nothing but the time, so that an interruption ends it.
  static func pause(_ duration: Duration, or interruption: Interruption) throws(RemoteError) {
    _ = try wait(for: [], of: -1, or: interruption, atMost: duration)
  }
}
