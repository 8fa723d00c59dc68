import Fleet
import Testing

struct SelectionTests {
  private let inventory = Inventory(hosts: ["app1", "app2", "app3"].map(host), balancers: [])

  @Test(arguments: [
    (nil, ["app1", "app2", "app3"]), ("app3,app1", ["app1", "app3"]), ("app2, app2", ["app2"]),
  ])
  func `hosts are chosen by name and keep the order of the inventory`(
    limit: String?,
    chosen: [String]
  ) throws {
    let hosts = try inventory.hosts(.init(limit: limit))

    #expect(hosts.map(\.name.text) == chosen)
  }

  @Test(arguments: [
    ("app9,app1,lb1", "the inventory has no host app9, lb1; it has app1, app2, app3"),
    (",", "no host is named; the inventory has app1, app2, app3"),
  ])
  func `a name that is no host's is refused with those that are`(limit: String, words: String) {
    let problem = #expect(throws: SelectionProblem.self) {
      try inventory.hosts(.init(limit: limit))
    }

    #expect(problem?.description == words)
  }

  @Test(arguments: [
    ("1", Inventory.BatchSize.hosts(1)), ("12", .hosts(12)), ("25%", .percent(25)),
    ("100%", .percent(100)), ("0", nil), ("0%", nil), ("101%", nil), ("-1", nil), ("+2", nil),
    ("2.5", nil), ("", nil), ("%", nil), ("two", nil), ("02", nil),
  ])
  func `a batch is a number of hosts or a share of them`(
    text: String,
    size: Inventory.BatchSize?
  ) {
    #expect(Inventory.BatchSize(written: text) == size)
  }

  @Test(arguments: [
    (Inventory.BatchSize.hosts(1), 3, [1, 1, 1]), (.hosts(2), 5, [2, 2, 1]), (.hosts(9), 2, [2]),
    (.percent(25), 8, [2, 2, 2, 2]), (.percent(25), 3, [1, 1, 1]), (.percent(50), 5, [2, 2, 1]),
    (.percent(100), 3, [3]), (.hosts(2), 0, []),
  ])
  func `batches keep the order, and only the last may be smaller`(
    size: Inventory.BatchSize,
    count: Int,
    sizes: [Int]
  ) {
    let hosts = (0..<count).map { Self.host("app\($0)") }

    let batches = size.batches(of: hosts)

    #expect(batches.map(\.count) == sizes)
    #expect(batches.flatMap(\.self) == hosts)
  }

  private static func host(_ name: String) -> Host {
    Host(name: MachineName(name), ssh: SSHAddress(address: name, user: "root"), routes: [])
  }
}
