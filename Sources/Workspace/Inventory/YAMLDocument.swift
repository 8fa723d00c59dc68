package import Fleet
import Yams

/// Reads YAML text as a tree that remembers where everything was written.
///
/// Anchors and aliases work, with the anchor's place; merge keys are left to the decoder, which
/// refuses them.
package struct YAMLDocument {
  private let file: String
  /// Names that were hidden from the parser, by the place of the key: see `hideDuplicate`.
  private var hidden: [Fleet.Node.Position: Unicode.Scalar] = [:]
  private var lines: [[Unicode.Scalar]]

  /// The tree.
  ///
  /// - Parameter file: the file as the operator named it, for the problems.
  /// - Throws: where and why the text is not YAML.
  package static func parse(_ bytes: [UInt8], file: String) throws(InventoryProblems)
    -> Fleet.Node
  {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw InventoryProblems([
        InventoryProblem(
          file: file,
          position: .init(line: lineOfBadText(bytes), column: 1),
          path: "",
          code: .notUTF8
        )
      ])
    }
    var document = YAMLDocument(file: file, text: text)
    return try document.parse()
  }

  private init(file: String, text: String) {
    self.file = file
    lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
      .map { Array($0.unicodeScalars) }
  }

  private mutating func parse() throws(InventoryProblems) -> Fleet.Node {
    while true {
      do {
        let text = lines.map { line in
          var text = String.UnicodeScalarView()
          text.append(contentsOf: line)
          return String(text)
        }.joined(separator: "\n")
        guard let root = try Parser(yaml: text, encoding: .utf8).singleRoot() else {
          return Fleet.Node(.mapping([]), at: .init(line: 1, column: 1))
        }
        return node(root)
      } catch let error as YamlError {
        if case .duplicatedKeysInMapping(_, let context) = error,
          hideDuplicate(at: position(context.mark))
        {
          continue
        }
        throw InventoryProblems([problem(error)])
      } catch {
        throw InventoryProblems([problem(at: .init(line: 1, column: 1), "\(error)")])
      }
    }
  }

  /// Gives the key that stands here a first letter that nobody writes, and remembers the true one.
  ///
  /// The parser stops at a key that was written twice, and the operator wants to see all that is
  /// wrong. With every key unique it gives the whole tree, in which the true names are put back.
  private mutating func hideDuplicate(at position: Fleet.Node.Position) -> Bool {
    guard hidden[position] == nil, hidden.count < 1000,
      lines.indices.contains(position.line - 1)
    else { return false }
    var index = position.column - 1
    let line = lines[position.line - 1]
    if line.indices.contains(index), line[index] == "\"" || line[index] == "'" { index += 1 }
    guard line.indices.contains(index), let mask = Unicode.Scalar(0xE000 + hidden.count),
      line[index].properties.isAlphabetic || line[index].properties.numericType != nil
    else { return false }
    hidden[position] = line[index]
    lines[position.line - 1][index] = mask
    return true
  }

  private func node(_ node: Yams.Node) -> Fleet.Node {
    let position = node.mark.map(self.position) ?? .init(line: 1, column: 1)
    switch node {
    case .scalar(let scalar):
      return Fleet.Node(
        .scalar(unhidden(scalar.string, at: position), isPlain: scalar.style == .plain),
        at: position
      )
    case .sequence(let items):
      return Fleet.Node(.sequence(items.map(self.node)), at: position)
    case .mapping(let pairs):
      return Fleet.Node(
        .mapping(pairs.map { .init(key: self.node($0.key), value: self.node($0.value)) }),
        at: position
      )
    case .alias:
      preconditionFailure("the parser puts the anchor's node in the place of each alias")
    }
  }

  private func unhidden(_ text: String, at position: Fleet.Node.Position) -> String {
    guard let first = hidden[position] else { return text }
    return String(Character(first)) + text.dropFirst()
  }

  private func position(_ mark: Mark) -> Fleet.Node.Position {
    .init(line: mark.line, column: mark.column)
  }

  private func problem(_ error: YamlError) -> InventoryProblem {
    switch error {
    case .scanner(_, let detail, let mark, _), .parser(_, let detail, let mark, _),
      .composer(_, let detail, let mark, _):
      problem(at: position(mark), detail)
    case .duplicatedKeysInMapping(let keys, let context):
      problem(at: position(context.mark), "written twice: \(keys.sorted().joined(separator: ", "))")
    case .reader(let detail, _, _, _):
      problem(at: .init(line: 1, column: 1), detail)
    default:
      problem(at: .init(line: 1, column: 1), "\(error)")
    }
  }

  private func problem(at position: Fleet.Node.Position, _ detail: String) -> InventoryProblem {
    InventoryProblem(file: file, position: position, path: "", code: .malformed(detail))
  }

  private static func lineOfBadText(_ bytes: [UInt8]) -> Int {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    return 1 + (lines.firstIndex { String(validating: $0, as: UTF8.self) == nil } ?? 0)
  }
}
