import Foundation

/// The repository this test was built from, as text.
struct Repository {
  /// Every Swift file under Sources, Benchmarks and Tests.
  let files: [SourceFile]
  let design: Design

  init() throws {
    let root = URL(fileURLWithPath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    files = try ["Sources", "Benchmarks", "Tests"].flatMap { top in
      try FileManager.default.subpathsOfDirectory(atPath: root.path + "/" + top)
        .filter { $0.hasSuffix(".swift") }.sorted()
        .map { try SourceFile(path: "\(top)/\($0)", in: root) }
    }
    design = Design(try String(contentsOf: root.appending(path: "docs/design.md"), encoding: .utf8))
  }

  /// Those that are built into programs.
  var sources: [SourceFile] { files.filter { !$0.path.hasPrefix("Tests/") } }
}

/// One Swift file: its lines, and what can be told from them without a compiler.
struct SourceFile {
  let path: String
  let lines: [Substring]

  init(path: String, in root: URL) throws {
    self.init(
      path: path,
      text: try String(contentsOf: root.appending(path: path), encoding: .utf8)
    )
  }

  init(path: String, text: String) {
    self.path = path
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
  }

  /// The folder below Sources, Benchmarks or Tests.
  var target: String { String(path.split(separator: "/")[1]) }

  /// The modules it imports, whatever stands before and after the word.
  var imports: [String] {
    lines.compactMap { line in
      let words = line.split(separator: " ")
      guard let position = words.firstIndex(of: "import"), position + 1 < words.count,
        words[..<position].allSatisfy({ $0.hasPrefix("@") || Self.access.contains($0) })
      else { return nil }
      let rest = words[(position + 1)...].drop { Self.kinds.contains($0) }
      return rest.first.map { String($0.prefix { $0 != "." && $0 != ";" }) }
    }
  }

  /// Its first run of comment lines.
  var firstComment: String {
    lines.drop { !$0.hasPrefix("//") }.prefix { $0.hasPrefix("//") }.joined(separator: "\n")
  }

  /// Numbers of the lines that have `text` outside comments.
  func lineNumbers(with text: String) -> [Int] {
    lines.indices.filter { index in
      lines[index].split(separator: "//", omittingEmptySubsequences: false)[0].contains(text)
    }.map { $0 + 1 }
  }

  /// Whether the line, or the run of lines right above it, holds a comment.
  func hasComment(onOrAbove number: Int) -> Bool {
    if lines[number - 1].contains("//") { return true }
    let above = lines[..<(number - 1)].last ?? ""
    return above.trimmingCharacters(in: .whitespaces).hasPrefix("//")
  }

  private static let access: Set<Substring> = [
    "public", "package", "internal", "fileprivate", "private",
  ]
  private static let kinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "func", "var", "let", "typealias", "actor",
  ]
}

/// The two tables of rooms in docs/design.md.
struct Design {
  /// What each pure room may import, and nothing else.
  let pureRooms: [String: Set<String>]
  /// What each other room may import besides what the toolchain brings.
  let otherRooms: [String: Set<String>]

  init(_ text: String) {
    pureRooms = Self.table(headed: "pure room", in: text)
    otherRooms = Self.table(headed: "room", in: text)
  }

  private static func table(headed heading: String, in text: String) -> [String: Set<String>] {
    let rows = text.split(separator: "\n", omittingEmptySubsequences: false)
      .drop { !$0.hasPrefix("| \(heading) |") }.prefix { $0.hasPrefix("|") }.dropFirst(2)
    return rows.reduce(into: [:]) { rooms, row in
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      let modules = cells[2].split(separator: ",").map {
        $0.trimmingCharacters(in: .whitespaces)
      }
      rooms[cells[0].filter { $0 != "`" }] = Set(modules).subtracting(["-"])
    }
  }
}
