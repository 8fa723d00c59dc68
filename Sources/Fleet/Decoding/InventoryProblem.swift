/// One thing that is wrong with an inventory, and where.
package struct InventoryProblem: Sendable, Hashable {
  /// The file as the operator named it.
  package var file: String
  package var position: Node.Position
  /// The keys that lead there: `hosts.app1.routes.web.listen`; empty for the file as a whole.
  package var path: String
  package var code: Code

  package init(file: String, position: Node.Position, path: String, code: Code) {
    self.file = file
    self.position = position
    self.path = path
    self.code = code
  }

  package enum Code: Sendable, Hashable {
    /// Not YAML, in the words of the YAML parser.
    case malformed(String)
    case notUTF8
    case mergeKey
    /// A key that nothing reads, with the key that was probably meant.
    case unknownKey(meant: String?, known: [String])
    /// A key written a second time in one mapping.
    case writtenTwice(firstLine: Int)
    /// Two keys of one meaning (`key` and `keys`).
    case bothWritten(String, String)
    case missing(expected: String)
    case unexpected(found: String, expected: String)
    case noMachines
    case noRoutes
    /// `false` for a route that the defaults do not have.
    case nothingToLeaveOut
    case noSuchFile(path: String)
    case nameNotResolved(name: String)
    /// The route would listen on the machine's address, but that is a name.
    case listenNeedsAddress(address: String)
    case listensOnUnixSocket
    case directPortNeeded
    case nameOfBalancer(line: Int)
    case serverTaken(BackendName, ServerName, by: MachineName, RouteName)
    case listenPortTaken(Int, by: RouteName)
    case listenIsDirectPort(Int)
    case listenIsAdminPort(Int)
    case primaryIsAdmin(Int)
    case primaryIsListener(Endpoint)
    case shadowIsPrimary(Endpoint)
    case shadowIsListener(Endpoint)
    case shadowTwice(Endpoint)
    case tooManyCopies(Int)
    case backendWithoutBalancer(BackendName, known: [BackendName])
    case runtimeWithoutSocket
    case totalBelowOne(total: Int, one: Int)
  }
}

/// Everything that is wrong with an inventory, in the order of the file; at least one problem.
package struct InventoryProblems: Error, Sendable, Hashable {
  package var problems: [InventoryProblem]

  package init(_ problems: [InventoryProblem]) {
    self.problems = problems
  }
}

extension InventoryProblems: CustomStringConvertible {
  /// One line a problem.
  package var description: String {
    problems.map(\.description).joined(separator: "\n")
  }
}

extension InventoryProblem: CustomStringConvertible {
  /// `inventories/production.yml:12:15: hosts.app1.routes.web.listen: …`
  package var description: String {
    let place = "\(file):\(position.line):\(position.column): "
    return place + (path.isEmpty ? "" : "\(path): ") + code.sentence
  }
}

extension InventoryProblem.Code {
  /// What was found and what was expected, for the operator.
  package var sentence: String {
    switch self {
    case .malformed(let detail): "this is not YAML: \(detail)"
    case .notUTF8: "the file is not UTF-8 text"
    case .mergeKey: "merge keys (<<) are not read; write what machines share under `defaults`"
    case .unknownKey(let meant?, _): "unknown key; did you mean `\(meant)`?"
    case .unknownKey(nil, let known): "unknown key; expected one of \(Self.list(known))"
    case .writtenTwice(let line): "written twice, first in line \(line)"
    case .bothWritten(let one, let other): "write either `\(one)` or `\(other)`, not both"
    case .missing(let expected): "missing; expected \(expected)"
    case .unexpected(let found, let expected): "found \(found), expected \(expected)"
    case .noMachines: "names no machine; expected at least one"
    case .noRoutes: "the host has no route, so it is in no backend; write one here or in defaults"
    case .nothingToLeaveOut: "`false` leaves out a route of the defaults, which have none so named"
    case .noSuchFile(let path): "there is no file \(path) on this machine"
    case .nameNotResolved(let name):
      "the name \(name) has no address here; the proxy needs one: write an IP address or fix the name"
    case .listenNeedsAddress(let address):
      "the address of the host, \(address), is a name, and a proxy listens on an IP address: write listen: ADDRESS:PORT in the route of that host"
    case .listensOnUnixSocket: "a route listens on a TCP port, not on a unix socket"
    case .directPortNeeded:
      "missing; with a primary on a unix socket, HAProxy's port while the proxy is out has to be said"
    case .nameOfBalancer(let line): "a balancer has this name too, in line \(line)"
    case .serverTaken(let backend, let server, let host, let route):
      "server \(backend)/\(server) is already the one of \(host)'s route \(route); "
        + "each route of each host needs its own"
    case .listenPortTaken(let port, let route):
      "port \(port) is already the one of route \(route) of this host"
    case .listenIsDirectPort(let port):
      "port \(port) is also the direct port: HAProxy could not tell the proxy from the primary"
    case .listenIsAdminPort(let port): "port \(port) is also the proxy's admin-port"
    case .primaryIsAdmin(let port): "port \(port) is the proxy's own admin-port"
    case .primaryIsListener(let endpoint): "\(endpoint) is where this route itself listens: a loop"
    case .shadowIsPrimary(let endpoint): "\(endpoint) is the primary: it would get everything twice"
    case .shadowIsListener(let endpoint): "\(endpoint) is where this route itself listens: a loop"
    case .shadowTwice(let endpoint): "\(endpoint) is named twice"
    case .tooManyCopies(let copies):
      "\(copies) copies of each connection, to all shadows together; \(Copying.mostCopies) are the most"
    case .backendWithoutBalancer(let backend, let known):
      "no balancer has a backend \(backend); the balancers have \(Self.list(known.map(\.text)))"
    case .runtimeWithoutSocket: "`apply: runtime` needs a stats-socket"
    case .totalBelowOne(let total, let one):
      "the total of \(total) bytes is less than the \(one) that one connection may use"
    }
  }

  private static func list(_ words: [String]) -> String {
    words.isEmpty ? "none" : words.map { "`\($0)`" }.joined(separator: ", ")
  }
}
