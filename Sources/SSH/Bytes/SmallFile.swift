import SystemPackage

/// A file that exists and cannot be read.
struct UnreadableFile: Error, Hashable {
  var path: FilePath
  var reason: Errno
}

/// Files of keys: small, read whole.
enum SmallFile {
  /// No key file is as large as this; a device that never ends is refused.
  private static let limit = 16 << 20

  /// The bytes of the file, or nil where there is none.
  static func content(of path: FilePath) throws(UnreadableFile) -> [UInt8]? {
    do {
      let file = try FileDescriptor.open(path, .readOnly, options: .closeOnExec)
      return try file.closeAfter { try readAll(file) }
    } catch let error as Errno {
      if error == .noSuchFileOrDirectory { return nil }
      throw UnreadableFile(path: path, reason: error)
    } catch {
      preconditionFailure("reading a file failed with something other than an errno: \(error)")
    }
  }

  private static func readAll(_ file: FileDescriptor) throws -> [UInt8] {
    var content: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
      guard count > 0 else { return content }
      content.append(contentsOf: buffer[..<count])
      guard content.count <= limit else { throw Errno.fileTooLarge }
    }
  }
}
