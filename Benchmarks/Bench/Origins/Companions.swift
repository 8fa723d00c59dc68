import CLinux
import Glibc

/// A primary and a shadow that run in the thread of the client. In a process of its own, a server that shares the client's
/// processor keeps it waiting, for as long as a tick of the scheduler even at idle priority, and that is then counted
/// as latency of what is measured; here each waits only for what the others do with a request.
final class Companions {
  let primaryPort: LoopbackPort
  let shadowPort: LoopbackPort
  private var primary: Sink
  private var shadow: Sink

  init() throws {
    let ports = try LoopbackPort.free(2)
    primaryPort = ports[0]
    shadowPort = ports[1]
    primary = try Sink(on: primaryPort)
    shadow = try Sink(on: shadowPort)
  }

  var counts: Servers.Counts {
    Servers.Counts(primary: primary.requests, shadow: shadow.requests)
  }

  /// How many there are: `serve` takes the positions below.
  static let count = 2

  /// Adds them to what an epoll waits for; `name` makes the events' data of their positions.
  func watch(by epoll: Int32, name: (Int) -> UInt64) throws {
    for (position, descriptor) in [primary.epoll, shadow.epoll].enumerated() {
      let result = clinux_epoll_add(epoll, descriptor, EPOLLIN.rawValue, name(position))
      guard result == 0 else { throw BenchError.system("epoll", -result) }
    }
  }

  /// Does what one of them has to do, without waiting.
  func serve(_ position: Int) throws {
    if position == 0 { try primary.turn(waiting: 0) } else { try shadow.turn(waiting: 0) }
  }

  func serveAll() throws {
    for position in 0..<Self.count { try serve(position) }
  }
}
