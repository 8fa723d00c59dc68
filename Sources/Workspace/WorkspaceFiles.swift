// Workspace: the operator's files. The inventory, the templates, the bundled proxy, the journal.
// Nothing here speaks to a machine or decides anything about one.

import SystemPackage

/// The few things this room does to files.
enum WorkspaceFiles {
  /// The whole file.
  static func read(_ path: FilePath) throws(FileProblem) -> [UInt8] {
    do {
      let file = try FileDescriptor.open(path, .readOnly)
      return try file.closeAfter {
        var contents: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
          let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
          if count == 0 { return contents }
          contents += buffer[..<count]
        }
      }
    } catch {
      throw FileProblem(path, error, doing: "read")
    }
  }

  /// Writes a file that must not be there yet.
  static func writeNew(_ bytes: [UInt8], to path: FilePath) throws(FileProblem) {
    do {
      let file = try FileDescriptor.open(
        path,
        .writeOnly,
        options: [.create, .exclusiveCreate],
        permissions: [.ownerReadWrite, .groupRead, .otherRead]
      )
      _ = try file.closeAfter { try file.writeAll(bytes) }
    } catch {
      throw FileProblem(path, error, doing: "write")
    }
  }
}

/// A file of the operator's that could not be read or written.
package struct FileProblem: Error, Sendable, Hashable, CustomStringConvertible {
  package var path: String
  /// What was tried: `read`, `write`.
  package var attempt: String
  /// The system's words: "No such file or directory".
  package var detail: String

  package init(path: String, attempt: String, detail: String) {
    self.path = path
    self.attempt = attempt
    self.detail = detail
  }

  init(_ path: FilePath, _ error: any Error, doing attempt: String) {
    self.init(path: path.string, attempt: attempt, detail: "\(error)")
  }

  package var description: String { "cannot \(attempt) \(path): \(detail)" }
}
