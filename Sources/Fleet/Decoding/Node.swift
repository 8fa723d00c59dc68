/// A parsed YAML (or other) document as a tree that remembers where everything was written.
///
/// The decoder reads this and no text, so that this room needs no YAML library.
package struct Node: Sendable, Hashable {
  package var content: Content
  /// Where its first character stands.
  package var position: Position
  /// The keys that lead here, by which a problem names it: `hosts.app1.routes.web`. Set by
  /// `located(at:)`.
  var path: String = ""

  package init(_ content: Content, at position: Position) {
    self.content = content
    self.position = position
  }

  package indirect enum Content: Sendable, Hashable {
    /// - Parameter isPlain: written without quotes, so that `~` or `null` means "nothing".
    case scalar(String, isPlain: Bool)
    case sequence([Node])
    /// In the order of the file; a key that was written twice stands here twice.
    case mapping([Entry])
  }

  package struct Entry: Sendable, Hashable {
    package var key: Node
    package var value: Node

    package init(key: Node, value: Node) {
      self.key = key
      self.value = value
    }
  }

  /// Both count from 1; the column counts Unicode scalars.
  package struct Position: Sendable, Hashable, Comparable {
    package var line: Int
    package var column: Int

    package init(line: Int, column: Int) {
      self.line = line
      self.column = column
    }

    package static func < (left: Position, right: Position) -> Bool {
      (left.line, left.column) < (right.line, right.column)
    }
  }
}

extension Node {
  /// Nothing was written: an empty value, `~` or `null`.
  var isNull: Bool {
    guard case .scalar(let text, isPlain: true) = content else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(text)
  }

  /// The text of a scalar.
  var text: String? {
    guard case .scalar(let text, _) = content, !isNull else { return nil }
    return text
  }

  /// The entries of a mapping; nothing written counts as an empty one.
  var entries: [Entry]? {
    if case .mapping(let entries) = content { return entries }
    return isNull ? [] : nil
  }

  /// What it is, as an operator would say it.
  var kind: String {
    switch content {
    case .scalar(let text, _): isNull ? "nothing" : "`\(text)`"
    case .sequence: "a list"
    case .mapping: "a mapping"
    }
  }

  /// The value of the last entry with this key.
  func value(of key: String) -> Node? {
    entries?.last { $0.key.text == key }?.value
  }

  /// The same tree, every node of which knows its path.
  func located(at path: String = "") -> Node {
    var node = self
    node.path = path
    switch content {
    case .scalar: break
    case .sequence(let items):
      node.content = .sequence(
        items.enumerated().map { $1.located(at: "\(path)[\($0)]") }
      )
    case .mapping(let entries):
      node.content = .mapping(
        entries.map { entry in
          let name = entry.key.text ?? "?"
          let below = path.isEmpty ? name : "\(path).\(name)"
          return Entry(key: entry.key.located(at: below), value: entry.value.located(at: below))
        }
      )
    }
    return node
  }

  /// This mapping with `defaults` beneath it: a key that is written here hides the same key there.
  /// Everything keeps the place where it was written, so that a problem in the defaults is found
  /// there.
  ///
  /// - Parameter synonyms: groups of keys of which one replaces the others.
  func over(_ defaults: Node?, synonyms: [[String]] = []) -> Node {
    guard let defaults, let inherited = defaults.entries, let own = entries else { return self }
    let written = own.compactMap(\.key.text)
    let hidden = Set(
      written.flatMap { key in synonyms.first { $0.contains(key) } ?? [key] }
    )
    var merged = self
    if own.isEmpty {
      merged.position = defaults.position
      merged.path = defaults.path
    }
    merged.content = .mapping(
      own + inherited.filter { entry in entry.key.text.map { !hidden.contains($0) } ?? true }
    )
    return merged
  }
}
