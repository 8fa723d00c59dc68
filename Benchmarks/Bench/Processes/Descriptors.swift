import CLinux

/// How many open files each process may have: what the numbers of connections have to fit into.
enum Descriptors {
  /// As many as are wanted, or as many as this user is allowed.
  static let limit = Int(clinux_allow_descriptors(65_536))

  /// Connections through a proxy with one more socket for the primary and one for the shadow.
  static let connections = (limit - 500) / 3
}
