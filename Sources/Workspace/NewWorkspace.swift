import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Lays an operator's folder: a commented inventory and the templates, to be changed at will.
package struct NewWorkspace: Sendable {
  package static let inventory = "inventories/production.yml"

  /// The folder; made where it is not there.
  package var folder: String
  private let files: [(name: String, bytes: [UInt8])]

  /// Reads what will be written from what comes with duplexctl.
  package init(folder: String, bundle: Bundle) throws {
    self.folder = folder
    let templates = try bundle.templatesFolder()
    let example = try WorkspaceFiles.read(FilePath(bundle.exampleInventory()))
    files =
      [(Self.inventory, example)]
      + (try HostTemplates.names.map { name in
        ("templates/\(name)", try WorkspaceFiles.read(FilePath(templates).appending(name)))
      })
  }

  /// Writes the files that are not there yet; what is there is never overwritten.
  ///
  /// - Throws: `FileProblem`.
  package func write() throws -> Written {
    var result = Written()
    for file in files {
      let path = FilePath(folder).appending(file.name)
      guard access(path.string, F_OK) != 0 else {
        result.kept.append(file.name)
        continue
      }
      try Self.makeFolder(path.removingLastComponent())
      try WorkspaceFiles.writeNew(file.bytes, to: path)
      result.written.append(file.name)
    }
    return result
  }

  /// Names relative to the folder.
  package struct Written: Sendable, Hashable {
    package var written: [String] = []
    /// They were there, and are left as they are.
    package var kept: [String] = []

    package init(written: [String] = [], kept: [String] = []) {
      self.written = written
      self.kept = kept
    }
  }

  private static func makeFolder(_ path: FilePath) throws {
    var folder = FilePath(root: path.root)
    for component in path.components {
      folder.append(component)
      guard mkdir(folder.string, 0o777) != 0, errno != EEXIST else { continue }
      throw FileProblem(folder, Errno(rawValue: errno), doing: "make")
    }
  }
}
