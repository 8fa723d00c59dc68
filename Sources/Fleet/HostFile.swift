/// A file that is put on a host.
package struct HostFile: Sendable, Hashable {
  /// Absolute, on the host.
  package var path: String
  /// Permission bits: 0o644.
  package var mode: Int
  package var contents: [UInt8]
  /// What a dry run calls it: "the proxy's configuration".
  package var description: String

  package init(path: String, mode: Int, contents: [UInt8], description: String) {
    self.path = path
    self.mode = mode
    self.contents = contents
    self.description = description
  }
}
