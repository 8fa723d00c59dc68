import TestSupport
import Testing

@testable import Commands

struct InitCommandTests {
  @Test func `a folder is laid once, from what comes with the program`() async throws {
    let folder = try TemporaryFolder()
    let command = try InitCommand.parse([folder.path(of: "fleet")])

    try await command.run()

    let inventory = String(
      decoding: try folder.read("fleet/inventories/production.yml"),
      as: UTF8.self
    )
    #expect(inventory.hasPrefix("# The fleet, as duplexctl sees it."))
    try folder.write("mine", to: "fleet/inventories/production.yml")
    try await command.run()
    #expect(try folder.read("fleet/inventories/production.yml") == Array("mine".utf8))
  }

  @Test(arguments: [(".", ""), ("my-fleet", "my-fleet/")])
  func `what was written is said, and what to do next`(folder: String, prefix: String) {
    let report = InitCommand.report(
      .init(written: ["inventories/production.yml"], kept: ["templates/a"]),
      in: folder
    )

    #expect(
      report == """
        wrote \(prefix)inventories/production.yml
        kept  \(prefix)templates/a, which was there

        Next:
          1. Write your balancers, hosts and routes into \(prefix)inventories/production.yml.
          2. duplexctl check -i \(prefix)inventories/production.yml
             only looks, and says what is still missing.
          3. duplexctl rollout enable -i \(prefix)inventories/production.yml --dry-run
             prints every command for every machine, and changes nothing.
        """
    )
  }
}
