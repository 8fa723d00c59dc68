import CLinux
import Glibc

/// The listening sockets that outlive every worker: they stay open in the supervisor, so that what connects while no
/// worker accepts waits in their queues.
struct HeldListeners {
  struct Held: Equatable {
    /// As configured, perhaps with port 0.
    let asked: SocketAddress
    /// With its real port.
    let address: SocketAddress
    /// One a thread for a route; they stay as many as they are, since what waits for one that is closed is lost.
    let descriptors: [Int32]
    /// Of a unix socket.
    let file: SocketFile?

    init(asked: SocketAddress, address: SocketAddress, descriptors: [Int32]) {
      self.asked = asked
      self.address = address
      self.descriptors = descriptors
      file = address.unixPath.flatMap { SocketFile($0) }
    }
  }

  private(set) var routes: [Held] = []
  private(set) var admin: [Held] = []

  init() {}

  init(routes: [Held], admin: [Held]) {
    self.routes = routes
    self.admin = admin
  }

  var all: [Held] { routes + admin }

  var descriptors: [Int32] { all.flatMap(\.descriptors) }

  /// The sockets of another configuration, as many a route as there are threads: those that are held already, and new ones. Nothing is closed, and where one
  /// cannot be opened nothing is left open.
  func changed(to configuration: Configuration, threads: Int) throws(ListeningSockets.BindFailure)
    -> HeldListeners
  {
    var opened: [Held] = []
    do throws(ListeningSockets.BindFailure) {
      var changed = HeldListeners()
      let listens = configuration.routes.map { ($0.listen, $0.listenMode) }
      changed.routes = try Self.matched(listens, threads, routes, &opened)
      let admins = configuration.admin.map { ($0, UInt16?.none) }
      changed.admin = try Self.matched(admins, 1, admin, &opened)
      return changed
    } catch {
      for held in opened { held.close() }
      throw error
    }
  }

  private static func matched(
    _ wanted: [(address: SocketAddress, mode: UInt16?)],
    _ threads: Int,
    _ present: [Held],
    _ opened: inout [Held]
  ) throws(ListeningSockets.BindFailure) -> [Held] {
    var unused = present
    var matched: [Held] = []
    for (asked, mode) in wanted {
      if let index = unused.firstIndex(where: { $0.asked == asked }) {
        matched.append(unused.remove(at: index))
        continue
      }
      let (descriptors, address) = try ListeningSockets.listen(asked, mode: mode, threads)
      opened.append(Held(asked: asked, address: address, descriptors: descriptors))
      matched.append(opened[opened.count - 1])
    }
    return matched
  }

  /// Closes what the other does not hold; a unix socket's file goes with it.
  func close(exceptThoseOf other: HeldListeners) {
    for held in all where !other.all.contains(where: { $0.descriptors == held.descriptors }) {
      held.close()
    }
  }

  /// Removes the files of unix sockets, which a process's end leaves behind.
  func removeFiles() {
    for held in all { held.file?.remove() }
  }
}

extension HeldListeners {
  func write(to fields: inout Fields) {
    for list in [routes, admin] {
      fields.append(list.count)
      for held in list {
        fields.append(held.descriptors.count)
        for descriptor in held.descriptors { fields.append(descriptor) }
        fields.append(held.asked.description)
        fields.append(held.address.description)
      }
    }
  }

  init(from fields: inout Fields.Reader) throws(Fields.Malformed) {
    routes = try fields.list { reader throws(Fields.Malformed) in try Held(from: &reader) }
    admin = try fields.list { reader throws(Fields.Malformed) in try Held(from: &reader) }
  }
}

extension HeldListeners.Held {
  /// The file goes with the sockets.
  fileprivate func close() {
    for descriptor in descriptors { Glibc.close(descriptor) }
    file?.remove()
  }

  fileprivate init(from fields: inout Fields.Reader) throws(Fields.Malformed) {
    let descriptors: [Int32] = try fields.list { reader throws(Fields.Malformed) in
      try reader.number()
    }
    guard let asked = SocketAddress(description: try fields.text()),
      let address = SocketAddress(description: try fields.text())
    else { throw Fields.Malformed() }
    self.init(asked: asked, address: address, descriptors: descriptors)
  }
}

extension SocketAddress {
  /// Reads what `description` prints.
  init?(description: String) {
    if description.hasPrefix("unix:") {
      self.init(unixPath: String(description.dropFirst("unix:".count)))
      return
    }
    guard let colon = description.lastIndex(of: ":"),
      let port = UInt16(description[description.index(after: colon)...])
    else { return nil }
    let host = description[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
    self.init(literal: String(host), port: port)
  }
}
