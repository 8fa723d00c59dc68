package import Fleet
import SystemPackage

/// An inventory and the file it came from.
package struct InventoryFile: Sendable, Hashable {
  /// As the operator named it, or as it was found: for messages.
  package var name: String
  package var path: String
  package var inventory: Inventory

  package init(name: String, path: String, inventory: Inventory) {
    self.name = name
    self.path = path
    self.inventory = inventory
  }

  /// The folder that relative paths in it are meant from, and where templates are looked for.
  package var folder: String { FilePath(path).removingLastComponent().string }

  /// Finds and reads the inventory.
  ///
  /// - Parameter chosen: what `-i` says.
  /// - Throws: `InventoryNotFound`, `FileProblem`, or `InventoryProblems` with all that is wrong.
  package static func load(_ chosen: String?, on machine: OperatorMachine) throws -> InventoryFile {
    let name = try InventorySearch(machine: machine).find(chosen)
    let path = machine.absolute(name, from: machine.folder)
    let bytes = try WorkspaceFiles.read(FilePath(path))
    let file = InventoryFile(
      name: name,
      path: path,
      inventory: Inventory(hosts: [], balancers: [])
    )
    let decoder = InventoryDecoder(
      file: name,
      surroundings: machine.surroundings(of: file.folder)
    )
    let inventory = try decoder.decode(YAMLDocument.parse(bytes, file: name))
    return InventoryFile(name: name, path: path, inventory: inventory)
  }
}

extension OperatorMachine {
  /// What the decoder may ask about this machine, for an inventory in this folder.
  package func surroundings(of folder: String) -> Surroundings {
    let keys = ["~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa"]
      .map { absolute($0, from: folder) }.filter(exists)
    return Surroundings(
      user: user,
      keys: keys,
      file: { written in
        let path = absolute(written, from: folder)
        return exists(path) ? .at(path) : .missing(path)
      },
      address: { Self.resolve($0) }
    )
  }
}
