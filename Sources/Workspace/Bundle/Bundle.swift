import SystemPackage

/// What comes with duplexctl: the proxy, the templates and the example inventory. An operator's
/// own, in the inventory's folder or the one above, go before.
package struct Bundle: Sendable {
  private let machine: OperatorMachine
  /// The inventory's folder; nil where there is no inventory yet.
  private let inventoryFolder: String?

  package init(machine: OperatorMachine, inventoryFolder: String?) {
    self.machine = machine
    self.inventoryFolder = inventoryFolder
  }

  /// The static duplex-proxy.
  package func proxy() throws -> ProxyExecutable {
    try ProxyExecutable.read(proxyPath())
  }

  /// The folder with all three templates.
  package func templatesFolder() throws(NotInBundle) -> String {
    let places = ownFolders.map { "\($0)/templates" } + shippedFolders.map { "\($0)/templates" }
    return try first(of: "the templates", in: places) { folder in
      HostTemplates.names.allSatisfy { machine.exists("\(folder)/\($0)") }
    }
  }

  /// The commented inventory that `duplexctl init` begins one with.
  package func exampleInventory() throws(NotInBundle) -> String {
    let places = shippedFolders.map { "\($0)/inventories/example.yml" }
    return try first(of: "the example inventory", in: places, where: machine.exists)
  }

  private func proxyPath() throws(NotInBundle) -> String {
    let places =
      ownFolders.map { "\($0)/duplex-proxy" }
      + shippedFolders.flatMap { folder in
        // In a source checkout the plain executable beside duplexctl is the one linked dynamically.
        isBuildFolder(folder)
          ? [] : ["\(folder)/duplex-proxy", "\(folder)/libexec/duplex-proxy"]
      } + checkouts.map { "\($0)/.build-static/release/duplex-proxy" }
    return try first(of: "the static duplex-proxy", in: places, where: machine.exists)
  }

  private func first(
    of what: String,
    in places: [String],
    where fits: (String) -> Bool
  ) throws(NotInBundle) -> String {
    guard let place = places.first(where: fits) else {
      throw NotInBundle(what: what, places: places)
    }
    return place
  }

  /// The inventory's folder and the one above.
  private var ownFolders: [String] {
    guard let inventoryFolder else { return [] }
    let path = FilePath(inventoryFolder)
    return [path.string, path.removingLastComponent().string]
  }

  /// Where a release or a package puts things: beside the executable, above it, or in a share
  /// folder; and a source checkout, whose build folder holds the executable.
  private var shippedFolders: [String] {
    let beside = FilePath(machine.executable).removingLastComponent()
    let above = beside.removingLastComponent()
    return [beside.string, above.string, above.appending("share").appending("duplexctl").string]
      + checkouts
  }

  /// The folder above the `.build` in which the executable lies, if it does.
  private var checkouts: [String] {
    var path = FilePath(machine.executable)
    while let component = path.lastComponent {
      path.removeLastComponent()
      if component.string == ".build" { return [path.string] }
    }
    return []
  }

  private func isBuildFolder(_ folder: String) -> Bool {
    FilePath(folder).components.contains { $0.string == ".build" }
  }
}

/// Something that comes with duplexctl is not where it could be.
package struct NotInBundle: Error, Sendable, Hashable, CustomStringConvertible {
  package var what: String
  /// All places looked at, in order.
  package var places: [String]

  package init(what: String, places: [String]) {
    self.what = what
    self.places = places
  }

  package var description: String {
    "not found: \(what); looked at \(places.joined(separator: ", "))"
  }
}
