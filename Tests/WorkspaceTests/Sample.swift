import Fleet
import TestSupport
import Workspace

/// Inventories and machines for the tests of this room.
enum Sample {
  /// Files are where they were said to be, and no name resolves but `staging`.
  static let surroundings = Surroundings(
    user: "ops",
    keys: ["/keys/id_ed25519"],
    file: { written in
      written.contains("nowhere") ? .missing("/keys/\(written)") : .at("/keys/\(written)")
    },
    address: { $0 == "staging" ? "10.9.0.5" : nil }
  )

  static func decode(_ text: String) throws(InventoryProblems) -> Inventory {
    let document = try YAMLDocument.parse(Array(text.utf8), file: "fleet.yml")
    return try InventoryDecoder(file: "fleet.yml", surroundings: surroundings).decode(document)
  }

  /// The problems of an inventory, one line each; empty where it has none.
  static func problems(_ text: String) -> [String] {
    do throws(InventoryProblems) {
      _ = try decode(text)
      return []
    } catch {
      return error.problems.map(\.description)
    }
  }

  /// A host with every default.
  static func host(_ routes: [Route]? = nil, proxy: ProxySettings = ProxySettings()) -> Host {
    Host(
      name: "app1",
      ssh: SSHAddress(address: "10.77.0.21", user: "root"),
      routes: routes ?? [route],
      proxy: proxy
    )
  }

  static let route = Route(
    name: "web",
    listenAddress: "10.77.0.21",
    listenPort: 8080,
    primary: .tcp(host: "127.0.0.1", port: 81),
    shadows: [.tcp(host: "10.9.0.5", port: 80)],
    backend: "app",
    server: "app1",
    directPort: 81
  )
}
