/// Collects problems, each once: what is wrong in the defaults is met again at every host.
struct ProblemCollector {
  let file: String
  private(set) var problems: [InventoryProblem] = []

  init(file: String) {
    self.file = file
  }

  mutating func report(_ code: InventoryProblem.Code, at node: Node) {
    let problem = InventoryProblem(
      file: file,
      position: node.position,
      path: node.path,
      code: code
    )
    if !problems.contains(problem) { problems.append(problem) }
  }
}

/// Reads one mapping of the inventory key by key and reports what is wrong with it.
struct MappingReader {
  let node: Node
  private let entries: [String: Node]

  /// Reads the mapping's keys, and reports those that are unknown or written twice.
  ///
  /// - Parameter keys: every key it may have; nil: any name, as in `hosts`.
  init(_ node: Node, keys: [String]?, _ collector: inout ProblemCollector) {
    self.node = node
    guard let written = node.entries else {
      collector.report(.unexpected(found: node.kind, expected: "a mapping"), at: node)
      entries = [:]
      return
    }
    var found: [String: Node] = [:]
    var firsts: [String: Node] = [:]
    for entry in written {
      guard let key = entry.key.text else {
        collector.report(.unexpected(found: entry.key.kind, expected: "a key"), at: entry.key)
        continue
      }
      if key == "<<" {
        collector.report(.mergeKey, at: entry.key)
      } else if let first = firsts[key] {
        collector.report(.writtenTwice(firstLine: first.position.line), at: entry.key)
      } else if let keys, !keys.contains(key) {
        let meant = NearestWord.to(key, in: keys)
        collector.report(.unknownKey(meant: meant, known: keys), at: entry.key)
      }
      if firsts[key] == nil { firsts[key] = entry.key }
      if found[key] == nil { found[key] = entry.value }
    }
    entries = found
  }

  /// The value of a key, also one that says "nothing".
  func written(_ key: String) -> Node? { entries[key] }

  /// The value of a key; nil where it was not written or says "nothing".
  func node(_ key: String) -> Node? { entries[key].flatMap { $0.isNull ? nil : $0 } }

  /// The value of a key that has a default.
  func value<Value>(
    _ key: String,
    _ format: Format<Value>,
    _ collector: inout ProblemCollector
  ) -> Value? {
    node(key).flatMap { Self.value(of: $0, format, &collector) }
  }

  /// The value of a key that must be there.
  func required<Value>(
    _ key: String,
    _ format: Format<Value>,
    _ collector: inout ProblemCollector
  ) -> Value? {
    guard let node = node(key) else {
      reportMissing(key, expected: format.expected, &collector)
      return nil
    }
    return Self.value(of: node, format, &collector)
  }

  func reportMissing(_ key: String, expected: String, _ collector: inout ProblemCollector) {
    var place = node
    place.path += ".\(key)"
    collector.report(.missing(expected: expected), at: place)
  }

  /// A list of values; one value alone stands for a list of it.
  func list<Value>(
    _ key: String,
    _ format: Format<Value>,
    _ collector: inout ProblemCollector
  ) -> [(node: Node, value: Value)]? {
    guard let node = node(key) else { return nil }
    let items =
      if case .sequence(let items) = node.content { items } else { [node] }
    return items.compactMap { item in
      Self.value(of: item, format, &collector).map { (item, $0) }
    }
  }

  static func value<Value>(
    of node: Node,
    _ format: Format<Value>,
    _ collector: inout ProblemCollector
  ) -> Value? {
    if let text = node.text, let value = format.read(text) { return value }
    collector.report(.unexpected(found: node.kind, expected: format.expected), at: node)
    return nil
  }
}
