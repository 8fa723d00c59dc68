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

  /// Writes the files and returns their names, relative to the folder.
  ///
  /// - Throws: `AlreadyThere` before anything is written, where any of them is there;
  ///   `FileProblem`.
  package func write() throws -> [String] {
    let paths = files.map { FilePath(folder).appending($0.name) }
    let present = paths.filter { access($0.string, F_OK) == 0 }
    guard present.isEmpty else { throw AlreadyThere(paths: present.map(\.string)) }
    for (path, file) in zip(paths, files) {
      try Self.makeFolder(path.removingLastComponent())
      try WorkspaceFiles.writeNew(file.bytes, to: path)
    }
    return files.map(\.name)
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

/// Files that `init` would have to overwrite, which it never does.
package struct AlreadyThere: Error, Sendable, Hashable, CustomStringConvertible {
  package var paths: [String]

  package init(paths: [String]) {
    self.paths = paths
  }

  package var description: String {
    "already there, and left as it is: \(paths.joined(separator: ", ")). Nothing was written."
  }
}
