import CLinux
import Duplex
import Glibc

/// Who may connect to a route.
extension Server {
  /// Whether a connection may be relayed. One that may not is closed here by a reset, before anything is opened
  /// for it.
  ///
  /// Whoever connects to a unix socket is let in: it has no address, and its file's mode says who may.
  func isAdmitted(_ descriptor: Int32, _ route: Int) -> Bool {
    let target = routes[route].route
    guard !target.allowed.isEmpty, target.listen.family != AF_UNIX else { return true }
    guard let peer = IPAddress(peerOf: descriptor) else {
      // Gone before it was looked at, as a health check's is: nobody is refused, and nothing is there to relay.
      clinux_close_by_reset(descriptor)
      return false
    }
    if target.allowed.contains(where: { $0.contains(peer) }) { return true }
    clinux_close_by_reset(descriptor)
    routes[route].counters.refused += 1
    log.detail("\(routes[route].address): refused a connection from \(peer)")
    return false
  }

  /// Whose connection it is, as the log has it.
  func source(_ descriptor: Int32, _ route: Int) -> String {
    guard routes[route].route.listen.family != AF_UNIX else { return "a local client" }
    return IPAddress(peerOf: descriptor).map(\.description) ?? "a client that is gone"
  }
}
