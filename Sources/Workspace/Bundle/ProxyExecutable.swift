import SystemPackage

/// The duplex-proxy that is carried to the hosts.
package struct ProxyExecutable: Sendable, Hashable {
  package var path: String
  package var bytes: [UInt8]
  /// Lower-case hex.
  package var sha256: String
  /// As `uname -m` prints it on a machine that it runs on: `x86_64`, `aarch64`.
  package var architecture: String
  /// It asks for no dynamic linker, so that it needs nothing of the host but its kernel.
  package var isStatic: Bool

  package init(path: String, bytes: [UInt8], sha256: String, architecture: String, isStatic: Bool) {
    self.path = path
    self.bytes = bytes
    self.sha256 = sha256
    self.architecture = architecture
    self.isStatic = isStatic
  }

  /// Reads the executable.
  ///
  /// - Throws: `FileProblem` where it cannot be read, `NotAnExecutable` where it is no 64-bit
  ///   little-endian ELF executable for Linux on x86_64 or aarch64.
  package static func read(_ path: String) throws -> ProxyExecutable {
    let bytes = try WorkspaceFiles.read(FilePath(path))
    guard let header = ELFHeader(bytes) else { throw NotAnExecutable(path: path) }
    return ProxyExecutable(
      path: path,
      bytes: bytes,
      sha256: sha256Hex(bytes),
      architecture: header.architecture,
      isStatic: !header.hasInterpreter
    )
  }
}

/// The bundled duplex-proxy is something else.
package struct NotAnExecutable: Error, Sendable, Hashable, CustomStringConvertible {
  package var path: String

  package init(path: String) {
    self.path = path
  }

  package var description: String {
    "\(path) is no executable for Linux on x86_64 or aarch64 (64-bit ELF)"
  }
}

/// What elf(5) says at the beginning of an executable.
private struct ELFHeader {
  var architecture: String
  /// There is a PT_INTERP segment: a dynamic linker is needed.
  var hasInterpreter: Bool

  init?(_ bytes: [UInt8]) {
    let machines = [62: "x86_64", 183: "aarch64"]
    // Magic, ELFCLASS64, ELFDATA2LSB.
    guard bytes.count >= 64, bytes.starts(with: [0x7f, 0x45, 0x4c, 0x46, 2, 1]),
      let machine = machines[Self.number(bytes, at: 18, count: 2)]
    else { return nil }
    architecture = machine
    let table = Self.number(bytes, at: 32, count: 8)
    let entrySize = Self.number(bytes, at: 54, count: 2)
    let entryCount = Self.number(bytes, at: 56, count: 2)
    guard table >= 64, entrySize >= 56, table <= bytes.count,
      entrySize * entryCount <= bytes.count - table
    else { return nil }
    hasInterpreter = (0..<entryCount).contains { index in
      Self.number(bytes, at: table + index * entrySize, count: 4) == 3
    }
  }

  /// Little-endian; a number too large for any file is as good as the largest.
  private static func number(_ bytes: [UInt8], at offset: Int, count: Int) -> Int {
    let value = bytes[offset..<offset + count].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    return Int(clamping: value)
  }
}
