extension Inventory {
  /// The hosts a run is about.
  package enum Selection: Sendable, Hashable {
    case all
    /// By name; the order is the inventory's, whatever the order here.
    case only([MachineName])

    /// Reads `app1,app3`, as `--limit` takes it.
    package init(limit: String?) {
      self =
        limit.map { .only($0.split(separator: ",").map { MachineName(Self.trimmed($0)) }) } ?? .all
    }

    private static func trimmed(_ word: Substring) -> String {
      var word = word
      while word.first == " " { word.removeFirst() }
      while word.last == " " { word.removeLast() }
      return String(word)
    }
  }

  /// The chosen hosts in the order of the inventory.
  ///
  /// - Throws: names that are no host's, with all names that are; or that nothing was named.
  package func hosts(_ selection: Selection) throws(SelectionProblem) -> [Host] {
    guard case .only(let names) = selection else { return hosts }
    let known = hosts.map(\.name)
    let unknown = names.filter { !known.contains($0) }
    guard unknown.isEmpty else {
      throw SelectionProblem(code: .unknownHosts(unknown), known: known)
    }
    guard !names.isEmpty else { throw SelectionProblem(code: .nothingNamed, known: known) }
    return hosts.filter { names.contains($0.name) }
  }
}

/// Why a selection of hosts cannot be made.
package struct SelectionProblem: Error, Sendable, Hashable, CustomStringConvertible {
  package var code: Code
  /// The hosts of the inventory, in its order.
  package var known: [MachineName]

  package enum Code: Sendable, Hashable {
    case nothingNamed
    case unknownHosts([MachineName])
  }

  package var description: String {
    let names = known.map(\.text).joined(separator: ", ")
    switch code {
    case .nothingNamed: return "no host is named; the inventory has \(names)"
    case .unknownHosts(let unknown):
      let wrong = unknown.map(\.text).joined(separator: ", ")
      return "the inventory has no host \(wrong); it has \(names)"
    }
  }
}
