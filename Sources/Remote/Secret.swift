/// A value that is never printed, journalled or logged: a passphrase, a password.
package struct Secret: Sendable, CustomStringConvertible, CustomDebugStringConvertible,
  CustomReflectable
{
  private let bytes: [UInt8]

  package init(_ bytes: [UInt8]) {
    self.bytes = bytes
  }

  package var description: String { "«secret»" }
  package var debugDescription: String { description }
  /// Nothing to see for `dump` and for those who print values by what is in them.
  package var customMirror: Mirror { Mirror(self, children: [:]) }

  /// Lends the bytes, for the duration of `body` only.
  package func withExposedBytes<Result>(_ body: ([UInt8]) throws -> Result) rethrows -> Result {
    try body(bytes)
  }
}
