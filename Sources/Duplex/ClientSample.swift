/// A share of all clients, chosen by their addresses, so that a client is in or out with all its connections.
///
/// The same on every host and after every restart, since nothing random goes in; and whoever is in a smaller share
/// is in every greater one.
package struct ClientSample: Sendable, Equatable {
  /// 1 to 1 000 000.
  package let millionths: Int

  package init(millionths: Int) {
    self.millionths = millionths
  }

  /// - Parameters:
  ///   - address: the client's; nil where it has none (a unix socket), or none is known.
  ///   - connection: decides where there is no address; the number of the connection.
  package func contains(_ address: IPAddress?, connection: Int) -> Bool {
    let hash =
      if let address {
        Self.mixed(Self.mixed(Self.seed ^ address.high) ^ address.low)
      } else {
        Self.mixed(Self.seed ^ UInt64(truncatingIfNeeded: connection))
      }
    return hash.multipliedFullWidth(by: 1_000_000).high < UInt64(millionths)
  }

  /// Any number will do, as long as it is the same everywhere.
  private static let seed: UInt64 = 0x6475_706c_6578_0001

  /// SplitMix64's step (Steele, Lea, Flood 2014): neighbouring addresses get unrelated numbers.
  private static func mixed(_ value: UInt64) -> UInt64 {
    var value = value &+ 0x9e37_79b9_7f4a_7c15
    value = (value ^ (value >> 30)) &* 0xbf58_476d_1ce4_e5b9
    value = (value ^ (value >> 27)) &* 0x94d0_49bb_1331_11eb
    return value ^ (value >> 31)
  }
}
