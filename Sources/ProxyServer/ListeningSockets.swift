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

  /// The files of the unix sockets among them.
  private var files: [SocketFile] = []

  /// Binds all of them, or none.
  package init(_ configuration: Configuration, threads: Int = 1) throws(BindFailure) {
    do {
      for route in configuration.routes {
        let (descriptors, address) = try listen(route.listen, mode: route.listenMode, threads)
        routes.append(Listening(route: route, descriptors: descriptors, address: address))
      }
      for address in configuration.admin {
        let descriptor = try listen(address, mode: nil)
        admin.append(descriptor)
        adminAddresses.append(address.with(port: SocketAddress.port(ofSocket: descriptor)))
      }
    } catch {
      removeFiles()
      for descriptor in routes.flatMap(\.descriptors) { Glibc.close(descriptor) }
      for descriptor in admin { Glibc.close(descriptor) }
      throw error
    }
  }

  /// Removes the files of unix sockets that are still those that were made here.
  package func removeFiles() {
    for file in files { file.remove() }
  }

  /// A listening socket for each thread. The first one is bound alone, so that an address that another process
  /// listens on is refused even where that one would share it.
  private mutating func listen(
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

  private mutating func listen(
    _ address: SocketAddress,
    mode: UInt16?
  ) throws(BindFailure) -> Int32 {
    if let path = address.unixPath, SocketFile.isAbandoned(address) { unlink(path) }
    let descriptor = address.withPointer { clinux_listen($0, $1, mode.map(Int32.init) ?? -1) }
    guard descriptor >= 0 else { throw BindFailure(address: address, errno: -descriptor) }
    if let path = address.unixPath, let file = SocketFile(path) { files.append(file) }
    return descriptor
  }
}
