import CLinux
import Glibc

/// The bound sockets of a configuration, opened before anything else so that a taken port is known at once.
package struct ListeningSockets: Sendable {
  package struct Listening: Sendable {
    package let route: Route
    package let descriptor: Int32
    /// With the port the kernel chose, where port 0 was asked for.
    package let address: SocketAddress
  }

  package struct BindFailure: Error, Equatable {
    package let address: SocketAddress
    package let errno: Int32
  }

  package private(set) var routes: [Listening] = []
  package private(set) var admin: [Int32] = []
  package private(set) var adminAddresses: [SocketAddress] = []

  /// Binds all of them, or none.
  package init(_ configuration: Configuration) throws(BindFailure) {
    do {
      for route in configuration.routes {
        let descriptor = try Self.listen(route.listen)
        let address = route.listen.with(port: SocketAddress.port(ofSocket: descriptor))
        routes.append(Listening(route: route, descriptor: descriptor, address: address))
      }
      for address in configuration.admin {
        let descriptor = try Self.listen(address)
        admin.append(descriptor)
        adminAddresses.append(address.with(port: SocketAddress.port(ofSocket: descriptor)))
      }
    } catch {
      for listening in routes { Glibc.close(listening.descriptor) }
      for descriptor in admin { Glibc.close(descriptor) }
      throw error
    }
  }

  private static func listen(_ address: SocketAddress) throws(BindFailure) -> Int32 {
    if let path = address.unixPath, isAbandoned(address) { unlink(path) }
    let descriptor = address.withPointer { clinux_listen($0, $1) }
    guard descriptor >= 0 else { throw BindFailure(address: address, errno: -descriptor) }
    return descriptor
  }

  /// A socket file that a process left behind when it died: nobody answers on it.
  private static func isAbandoned(_ address: SocketAddress) -> Bool {
    let descriptor = clinux_stream_socket(AF_UNIX)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    return address.withPointer { clinux_connect(descriptor, $0, $1) } == -ECONNREFUSED
  }
}
