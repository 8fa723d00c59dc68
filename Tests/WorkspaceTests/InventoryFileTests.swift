import Fleet
import TestSupport
import Testing
import Workspace

struct InventoryFileTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func machine(_ environment: [String: String] = [:]) -> OperatorMachine {
    OperatorMachine(
      environment: environment.merging(["HOME": folder.path(of: "home")]) { named, _ in named },
      folder: folder.path,
      executable: "/nowhere/duplexctl"
    )
  }

  private func write(_ name: String, key: String? = nil) throws {
    try folder.write(
      """
      defaults:
        ssh: {user: root\(key.map { ", key: \($0)" } ?? "")}
        routes:
          web: {listen: 8080, primary: "localhost:81", shadow: "10.9.0.5:80", backend: app}
      balancers: {lb1: {backends: [app]}}
      hosts: {app1: {address: 10.0.0.21}}
      """,
      to: name
    )
  }

  @Test(arguments: [
    (["inventories/a.yml", "b.yml"], nil, [:], "inventories/a.yml"),
    (["b.yaml", "c.txt", ".d.yml"], nil, [:], "b.yaml"),
    (["inventories/a.yml", "inventories/b.yml"], "inventories/b.yml", [:], "inventories/b.yml"),
    (["a.yml", "b.yml"], nil, ["DUPLEXCTL_INVENTORY": "b.yml"], "b.yml"),
    (["a.yml", "b.yml"], "a.yml", ["DUPLEXCTL_INVENTORY": "b.yml"], "a.yml"),
  ])
  func `the inventory is the one that was named, else the only one there is`(
    files: [String],
    named: String?,
    variables: [String: String],
    found: String
  ) throws {
    for file in files { try write(file) }

    let file = try InventoryFile.load(named, on: machine(variables))

    #expect(file.name == found)
    #expect(file.path == folder.path(of: found))
    #expect(file.inventory.hosts.map(\.name) == ["app1"])
  }

  @Test func `where there are several, they are named`() throws {
    try write("inventories/b.yml")
    try write("inventories/a.yaml")

    let problem = #expect(throws: InventoryNotFound.self) {
      try InventoryFile.load(nil, on: machine())
    }

    #expect(
      problem?.description
        == "which inventory? In \(folder.path) there are inventories/a.yaml, inventories/b.yml. "
        + "Name one with -i FILE or $DUPLEXCTL_INVENTORY."
    )
  }

  @Test func `where there is none, it is said how to begin one`() throws {
    let problem = #expect(throws: InventoryNotFound.self) {
      try InventoryFile.load(nil, on: machine())
    }

    #expect(problem == InventoryNotFound(folder: folder.path, candidates: []))
  }

  @Test func `a file that is not there is named`() throws {
    let problem = #expect(throws: FileProblem.self) {
      try InventoryFile.load("x.yml", on: machine())
    }

    #expect(
      problem?.description
        == "cannot read \(folder.path)/x.yml: No such file or directory"
    )
  }

  @Test(arguments: [
    ("id", "inventories/id"), ("../keys/id", "keys/id"), ("~/.ssh/mine", "home/.ssh/mine"),
  ])
  func `keys are meant from the inventory's folder or the operator's home`(
    written: String,
    path: String
  ) throws {
    try folder.write("key", to: path)
    try write("inventories/a.yml", key: written)

    let file = try InventoryFile.load(nil, on: machine())

    #expect(file.inventory.hosts.map(\.ssh.keys) == [[folder.path(of: path)]])
  }

  @Test func `without keys in the inventory, the usual ones that exist are tried`() throws {
    try folder.write("key", to: "home/.ssh/id_rsa")
    try folder.write("key", to: "home/.ssh/id_ed25519")
    try write("a.yml")

    let keys = try InventoryFile.load(nil, on: machine()).inventory.hosts.map(\.ssh.keys)

    #expect(keys == [["id_ed25519", "id_rsa"].map { folder.path(of: "home/.ssh/\($0)") }])
  }

  @Test func `a name in place of an address is resolved, since the proxy resolves none`() throws {
    try write("a.yml")

    let primaries = try InventoryFile.load(nil, on: machine()).inventory.hosts.flatMap(\.routes)
      .map(\.primary)

    #expect(primaries == [.tcp(host: "127.0.0.1", port: 81)])
  }
}
