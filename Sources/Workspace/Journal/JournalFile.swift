import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The journal of one run: a file of lines that only grows.
package actor JournalFile {
  package nonisolated let path: String
  private let file: FileDescriptor

  /// How sure it has to be that a line is kept.
  package enum Durability: Sendable, Hashable {
    /// Handed to the system: survives a crash of this program.
    case handedOver
    /// On the disk: survives a power cut.
    case onDisk
  }

  /// Begins a file that must not be there yet, for its owner's eyes only.
  init(creating path: FilePath) throws {
    self.path = path.string
    file = try FileDescriptor.open(
      path,
      .writeOnly,
      options: [.create, .exclusiveCreate, .append, .closeOnExec],
      permissions: .ownerReadWrite
    )
  }

  deinit {
    do {
      try file.close()
    } catch {
      // Ignored: every line was written, and synced where that was asked for, before this.
    }
  }

  /// Writes one line and its newline in one piece.
  ///
  /// - Throws: when the line cannot be relied upon to be there: the caller must not go on.
  package func append(line: [UInt8], _ durability: Durability = .onDisk) throws {
    precondition(!line.contains(UInt8(ascii: "\n")), "a line of a journal holds no newline")
    try file.writeAll(line + [UInt8(ascii: "\n")])
    if durability == .onDisk { try sync() }
  }

  private func sync() throws {
    #if os(Linux)
      let status = fdatasync(file.rawValue)
    #else
      let status = fsync(file.rawValue)
    #endif
    guard status == 0 else { throw Errno(rawValue: errno) }
  }
}
