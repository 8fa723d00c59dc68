import SystemPackage

/// Lets another thread end a wait: a pipe that a connection polls beside its socket. Once used, it
/// stays used.
final class Interruption: Sendable {
  private let readEnd: FileDescriptor
  private let writeEnd: FileDescriptor

  init() throws {
    (readEnd, writeEnd) = try FileDescriptor.pipe()
  }

  /// What to poll for reading.
  var descriptor: Int32 { readEnd.rawValue }

  /// Ends the present wait, and every later one.
  func interrupt() {
    do {
      try writeEnd.writeAll([1])
    } catch {
      // Ignored: the pipe holds 64 KiB and lives as long as self, and one byte is enough.
    }
  }

  deinit {
    for end in [readEnd, writeEnd] {
      do {
        try end.close()
      } catch {
        // Ignored: closing a pipe of our own cannot lose anything.
      }
    }
  }
}
