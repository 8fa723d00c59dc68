import CLinux
import Glibc

/// The bound sockets of a configuration, opened before anything else so that a taken port is known at once.
package struct ListeningSockets: Sendable {
  package struct Listening: Sendable {
    package let route: Route
    /// One a thread: the kernel spreads new connections over them.
    package let descriptors: [Int32]
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

  /// Sockets that listen already, each of them to be owned by who gets this.
  init(routes: [Listening], admin: [(descriptor: Int32, address: SocketAddress)]) {
    self.routes = routes
    self.admin = admin.map(\.descriptor)
    adminAddresses = admin.map(\.address)
  }

  /// Binds all of them, or none.
  package init(_ configuration: Configuration, threads: Int = 1) throws(BindFailure) {
    do {
      for route in configuration.routes {
        let mode = route.listenMode
        let (descriptors, address) = try Self.listen(route.listen, mode: mode, threads)
        routes.append(Listening(route: route, descriptors: descriptors, address: address))
      }
      for address in configuration.admin {
        let (descriptors, bound) = try Self.listen(address, mode: nil, 1)
        admin += descriptors
        adminAddresses.append(bound)
      }
    } catch {
      for descriptor in routes.flatMap(\.descriptors) { Glibc.close(descriptor) }
      for descriptor in admin { Glibc.close(descriptor) }
      throw error
    }
  }

  /// A listening socket for each thread. The first one is bound alone, so that an address that another process
  /// listens on is refused even where that one would share it.
  static func listen(
    _ address: SocketAddress,
    mode: UInt16?,
    _ threads: Int
  ) throws(BindFailure) -> (descriptors: [Int32], address: SocketAddress) {
    let first = try listen(address, mode: mode)
    let bound = address.with(port: SocketAddress.port(ofSocket: first))
    var descriptors = [first]
    for _ in 1..<threads {
      let next =
        address.unixPath == nil
        ? bound.withPointer { clinux_listen_beside(first, $0, $1) } : clinux_duplicate(first)
      guard next >= 0 else {
        for descriptor in descriptors { Glibc.close(descriptor) }
        throw BindFailure(address: bound, errno: -next)
      }
      descriptors.append(next)
    }
    return (descriptors, bound)
  }

  private static func listen(
    _ address: SocketAddress,
    mode: UInt16?
  ) throws(BindFailure) -> Int32 {
    if let path = address.unixPath, SocketFile.isAbandoned(address) { unlink(path) }
    let descriptor = address.withPointer { clinux_listen($0, $1, mode.map(Int32.init) ?? -1) }
    guard descriptor >= 0 else { throw BindFailure(address: address, errno: -descriptor) }
    return descriptor
  }
}
