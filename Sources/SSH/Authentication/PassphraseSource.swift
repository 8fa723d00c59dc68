package import Remote
package import SystemPackage

/// Asked for the passphrase of an encrypted key file; nil passes the key over.
package typealias PassphraseSource = @Sendable (KeyFile) async -> Secret?

/// A key file whose passphrase is wanted.
package struct KeyFile: Sendable, Hashable {
  package var path: FilePath
  /// From 1. Above 1, the last answer was wrong.
  package var attempt: Int

  package init(path: FilePath, attempt: Int = 1) {
    self.path = path
    self.attempt = attempt
  }
}
