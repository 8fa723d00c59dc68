import CLinux
import Duplex
import Glibc
import Synchronization

/// What one thread of the proxy can be told by another one.
enum Message: Sendable {
  /// Stop listening and let what is open finish; told again: end at once.
  case stop
  /// Begin copies, or end all that are under way and begin none.
  case copying(isOn: Bool)
  /// For the leader: as `copying`, on all threads, and nobody is told.
  case switchCopying(isOn: Bool)
  /// Post what you have counted to the leader's mailbox, under this number.
  case report(number: Int, to: Mailbox)
  case reported(number: Int, Report)
  /// A thread has served its last connection.
  case finished
  /// Accept nothing more, and leave what waits to the process that goes on with the same listening sockets.
  case handOver
  /// Nobody else holds the listening sockets any more: as `stop`, and told once more it changes nothing.
  case orphaned
  /// Another configuration for new connections. Of the sockets each thread keeps or closes its own.
  case configure(Configuration, ListeningSockets, SupervisionCounters)
  /// A thread has done the one or the other of what a supervisor had asked for.
  case carriedOut
}

/// How a thread is told something while it waits for its sockets: the message is left here, and a byte on a socket
/// that its loop receives from wakes it.
final class Mailbox: Sendable {
  private let letters = Mutex<[Message]>([])
  /// The end that the thread's loop receives from, and closes.
  let descriptor: Int32
  private let bell: Int32

  /// Nil when the kernel gives no descriptors.
  init?() {
    var pair: [Int32] = [-1, -1]
    guard clinux_socket_pair(&pair) >= 0 else { return nil }
    (descriptor, bell) = (pair[0], pair[1])
  }

  deinit { Glibc.close(bell) }

  func post(_ message: Message) {
    letters.withLock { $0.append(message) }
    // Ignored: the socket is full only of bytes that wake the thread as well.
    _ = clinux_send(bell, "m", 1)
  }

  /// What has been posted since it was last taken.
  func take() -> [Message] {
    letters.withLock { letters in
      defer { letters = [] }
      return letters
    }
  }
}

/// What one thread has counted.
struct Report: Sendable {
  /// By route.
  var routes: [RouteCounters]
  var acceptFailures: [String: Int]
  /// Bytes queued for shadows.
  var queued: Int

  /// The sum of all threads' reports.
  static func sum(_ reports: [Report]) -> Report {
    reports.dropFirst().reduce(into: reports[0]) { sum, report in
      // One from just before a change of configuration is shorter.
      for (index, counted) in report.routes.enumerated() where index < sum.routes.count {
        sum.routes[index].add(counted)
      }
      sum.acceptFailures.merge(report.acceptFailures, uniquingKeysWith: +)
      sum.queued += report.queued
    }
  }
}
