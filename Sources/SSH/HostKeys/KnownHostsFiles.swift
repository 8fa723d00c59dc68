import Remote
import SystemPackage

extension KnownHosts {
  /// Reads the files that exist, in their order.
  ///
  /// - Throws: `.hostKeyUnknown` never; a file that exists and cannot be read is refused, since it
  ///   may hold the very line that revokes a key.
  static func reading(_ files: [FilePath]) throws(UnreadableFile) -> KnownHosts {
    var known = KnownHosts()
    for file in files {
      guard let content = try SmallFile.content(of: file) else { continue }
      known.read(content, file: file.string)
    }
    return known
  }
}
