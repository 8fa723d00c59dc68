import CLinux

/// How many open files each process may have: what the numbers of connections have to fit into.
enum Descriptors {
  /// As many as are wanted, or as many as this user is allowed.
  static let limit = Int(clinux_allow_descriptors(65_536))

  /// Connections, in hundreds, through a proxy with a second socket for the primary and a third for the shadow;
  /// duplex-proxy gives shadows none of the last quarter of its descriptors.
  static let connections = (limit * 3 / 4 - 200) / 300 * 100
}
