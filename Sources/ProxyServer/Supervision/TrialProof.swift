import Glibc

/// What an executable says at the end of its trial, after the state that it was shown and in the same file: who it is, and
/// in which form it understood that. That it ended well says nothing: so does any other program.
///
/// Executables of different versions read it from each other, so what is here stays as it is.
struct TrialProof {
  static let format = "duplex-proxy trial 1"

  var version = Version.text
  /// Of the state.
  var understood = InheritedState.format

  var bytes: [UInt8] {
    var fields = Fields()
    for text in [Self.format, version, understood] { fields.append(text) }
    return fields.bytes
  }

  /// False when the file takes no more.
  func append(to file: Int32) -> Bool {
    let (bytes, end) = (bytes, lseek(file, 0, Int32(SEEK_END)))
    return end >= 0 && pwrite(file, bytes, bytes.count, end) == bytes.count
  }
}

extension TrialProof {
  /// Of what follows the state in the file.
  init(_ bytes: [UInt8]) throws(Fields.Malformed) {
    var fields = Fields.Reader(bytes)
    guard try fields.text() == Self.format else { throw Fields.Malformed() }
    version = try fields.text()
    understood = try fields.text()
  }

  /// Nil where the file has none.
  static func read(_ file: Int32, after state: Int) -> TrialProof? {
    do {
      return try TrialProof(Array(MemoryFile.content(file).dropFirst(state)))
    } catch {
      return nil
    }
  }
}
