/// One server of HAProxy: the backend (or listen) section it stands in, and its name there.
package struct ServerID: Sendable, Hashable, Codable, Comparable, CustomStringConvertible {
  package var backend: String
  package var server: String

  package init(backend: String, server: String) {
    self.backend = backend
    self.server = server
  }

  /// Reads `BACKEND/SERVER`; nil where that is not what it says. Neither name may hold a slash.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, parts.allSatisfy({ !$0.isEmpty }) else { return nil }
    self.init(backend: String(parts[0]), server: String(parts[1]))
  }

  /// `BACKEND/SERVER`, as the stats socket writes it.
  package var description: String { "\(backend)/\(server)" }

  package static func < (left: ServerID, right: ServerID) -> Bool {
    (left.backend, left.server) < (right.backend, right.server)
  }
}
