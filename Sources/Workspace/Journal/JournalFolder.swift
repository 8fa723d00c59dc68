import SystemPackage

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Where the journals of all runs lie, a file a run.
package struct JournalFolder: Sendable {
  package let path: String

  package init(path: String) {
    self.path = path
  }

  /// `$DUPLEXCTL_STATE/journal`, else `$XDG_STATE_HOME/duplexctl/journal`, else
  /// `~/.local/state/duplexctl/journal`.
  package init(on machine: OperatorMachine) {
    func named(_ variable: String) -> String? {
      machine.environment[variable].flatMap { $0.isEmpty ? nil : $0 }
    }
    let state =
      named("DUPLEXCTL_STATE") ?? named("XDG_STATE_HOME").map { "\($0)/duplexctl" }
      ?? "\(machine.home)/.local/state/duplexctl"
    path = machine.absolute("\(state)/journal", from: machine.folder)
  }

  /// Begins the journal of a run, making the folder where there is none.
  ///
  /// - Parameter run: a name that sorts in the order of the runs, such as its time in ISO 8601.
  package func begin(run: String) throws -> JournalFile {
    do {
      try makeFolders()
      return try JournalFile(creating: file(of: run))
    } catch {
      throw FileProblem(file(of: run), error, doing: "begin the journal")
    }
  }

  /// The names of all runs, oldest first; none where there is no folder yet.
  package func runs() throws(FileProblem) -> [String] {
    guard let stream = opendir(path) else {
      if errno == ENOENT { return [] }
      throw FileProblem(FilePath(path), Errno(rawValue: errno), doing: "list")
    }
    defer { closedir(stream) }
    var runs: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name.hasSuffix(Self.suffix) { runs.append(String(name.dropLast(Self.suffix.count))) }
    }
    return runs.sorted()
  }

  /// The lines of a run's journal. A last line without its newline was being written when the
  /// power went; it is left out.
  package func lines(of run: String) throws(FileProblem) -> [[UInt8]] {
    let bytes = try WorkspaceFiles.read(file(of: run))
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return lines.dropLast().map(Array.init)
  }

  private static let suffix = ".jsonl"

  private func file(of run: String) -> FilePath {
    FilePath(path).appending("\(run)\(Self.suffix)")
  }

  private func makeFolders() throws {
    var folder = FilePath(root: FilePath(path).root)
    for component in FilePath(path).components {
      folder.append(component)
      guard mkdir(folder.string, 0o700) != 0, errno != EEXIST else { continue }
      throw Errno(rawValue: errno)
    }
  }
}
