/// Where bytes go to: a TCP port or a unix socket.
package enum Endpoint: Sendable, Hashable, CustomStringConvertible {
  /// An IP literal or a host name, without brackets, and a port of 1 to 65535.
  case tcp(host: String, port: Int)
  /// An absolute path.
  case unix(path: String)

  /// `10.9.0.5:80`, `[fd00::5]:80`, `unix:/run/app.sock`.
  package var description: String {
    switch self {
    case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    case .unix(let path): "unix:\(path)"
    }
  }

  package var port: Int? {
    switch self {
    case .tcp(_, let port): port
    case .unix: nil
    }
  }
}
