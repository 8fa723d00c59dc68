import CLinux
import Glibc

/// The client and the primary share a processor with the shadow, which in life runs elsewhere and takes no time of theirs.
/// Where latency is asked they go first, by a real-time priority: with a shadow that only gives way (`SCHED_IDLE`) added
/// p99 was several times as much.
enum Precedence {
  /// - Parameter process: 0 for the calling thread.
  static func set(_ goesFirst: Bool, of process: pid_t, _ name: String) throws {
    let result = clinux_go_first(process, goesFirst ? 1 : 0)
    guard result == 0 else { throw BenchError.system("having \(name) go first", -result) }
  }
}
