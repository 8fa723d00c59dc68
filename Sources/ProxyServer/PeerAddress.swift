import CLinux
import Duplex

extension IPAddress {
  /// Where a connected socket's peer is; nil for a unix socket, and for a connection that is gone already.
  init?(peerOf descriptor: Int32) {
    var address = (high: UInt64(0), low: UInt64(0))
    guard clinux_peer_address(descriptor, &address.high, &address.low) == 0 else { return nil }
    self.init(high: address.high, low: address.low)
  }
}
