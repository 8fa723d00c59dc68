#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// Finds the inventory that the operator means.
struct InventorySearch {
  static let variable = "DUPLEXCTL_INVENTORY"

  let machine: OperatorMachine

  /// An example names machines that nobody has: it is used only where it is asked for by name.
  static let examples = ["example.yml", "example.yaml"]

  /// What `-i` names, else `$DUPLEXCTL_INVENTORY`, else the only YAML file in `inventories/` that is
  /// no example, else the only one in the current folder.
  func find(_ chosen: String?) throws(InventoryNotFound) -> String {
    if let chosen { return chosen }
    if let named = machine.environment[Self.variable], !named.isEmpty { return named }
    let found = files(in: "inventories")
    let candidates = found.isEmpty ? files(in: "") : found
    guard let only = candidates.first, candidates.count == 1 else {
      throw InventoryNotFound(folder: machine.folder, candidates: candidates)
    }
    return only
  }

  /// Names relative to the current folder, sorted.
  private func files(in folder: String) -> [String] {
    let path = machine.absolute(folder.isEmpty ? "." : folder, from: machine.folder)
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      guard !name.hasPrefix("."), name.hasSuffix(".yml") || name.hasSuffix(".yaml") else {
        continue
      }
      guard !Self.examples.contains(name) else { continue }
      names.append(folder.isEmpty ? name : "\(folder)/\(name)")
    }
    return names.sorted()
  }
}

/// No inventory was named, and there is not exactly one to be found.
package struct InventoryNotFound: Error, Sendable, Hashable, CustomStringConvertible {
  /// Where it was looked for: here and in `inventories` below.
  package var folder: String
  /// What was found instead of exactly one.
  package var candidates: [String]

  package init(folder: String, candidates: [String]) {
    self.folder = folder
    self.candidates = candidates
  }

  package var description: String {
    candidates.isEmpty
      ? "no inventory: neither \(folder)/inventories nor \(folder) holds a .yml file "
        + "other than an example. Name one with -i FILE or $\(InventorySearch.variable), or begin one "
        + "with duplexctl init."
      : "which inventory? In \(folder) there are \(candidates.joined(separator: ", ")). "
        + "Name one with -i FILE or $\(InventorySearch.variable)."
  }
}
