import Foundation
import Testing

@testable import Lab

/// A lab leaves nothing on the machine, however it ends.
@Suite(.serialized)
struct LabFleetTests {
  private static func settings(_ number: Int) -> LabSettings {
    LabSettings(
      state: "/run/duplex-lab-unit\(number)",
      prefix: "dxu\(number)",
      network: "10.8\(2 + number).0",
      apps: 1,
      balancers: 1
    )
  }

  /// What of a lab can be seen on the machine.
  private func traces(of settings: LabSettings) async throws -> [String] {
    let lists = [
      try await Tool.run("ip", "netns", "list"), try await Tool.run("ip", "-o", "link"),
      try String(contentsOfFile: "/proc/mounts", encoding: .utf8),
      try await Tool.run("ps", "-eo", "args"),
    ]
    let lines = lists.flatMap { $0.split(separator: "\n").map(String.init) }
    return lines.filter { $0.contains("\(settings.prefix)-") || $0.contains(settings.state) }
      + (FileManager.default.fileExists(atPath: settings.state) ? [settings.state] : [])
  }

  @Test func `two labs run at once, and leave nothing`() async throws {
    try #require(getuid() == 0, "the tests of the lab need root")
    let labs = [LabFleet(settings: Self.settings(1)), LabFleet(settings: Self.settings(2))]

    for lab in labs { try await lab.up { _ in } }
    for lab in labs {
      for host in lab.settings.hosts { #expect(host.initProcess != nil) }
      #expect(try await !traces(of: lab.settings).isEmpty)
    }
    for lab in labs { try await lab.down() }

    for lab in labs { #expect(try await traces(of: lab.settings) == []) }
  }

  @Test func `a second lab with the first one's prefix or network is refused, and the first stays`()
    async throws
  {
    let first = LabFleet(settings: Self.settings(6))
    var samePrefix = Self.settings(7)
    samePrefix.prefix = first.settings.prefix
    var sameNetwork = Self.settings(7)
    sameNetwork.network = first.settings.network
    try await first.up { _ in }

    for other in [samePrefix, sameNetwork] {
      await #expect(throws: LabError.self) {
        try await LabFleet(settings: other).expectRoom()
      }
    }

    for host in first.settings.hosts { #expect(host.initProcess != nil) }
    try await first.down()
    try await first.expectRoom()
  }

  @Test func `a lab whose up was killed is taken down`() async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let program = root.appending(path: ".build/debug/duplex-lab")
    let settings = Self.settings(3)
    for delay in [20, 60, 120, 200, 300, 450] {
      let up = Process()
      up.executableURL = program
      up.arguments = [
        "up", "--state", settings.state, "--prefix", settings.prefix, "--network",
        settings.network, "--apps", "1",
      ]
      up.standardOutput = FileHandle.nullDevice
      up.standardError = FileHandle.nullDevice
      try up.run()
      try await Task.sleep(for: .milliseconds(delay))
      kill(up.processIdentifier, SIGKILL)
      up.waitUntilExit()

      let down = Process()
      down.executableURL = program
      down.arguments = ["down", "--state", settings.state]
      down.standardOutput = FileHandle.nullDevice
      try down.run()
      down.waitUntilExit()

      #expect(down.terminationStatus == 0, "killed after \(delay) ms")
      #expect(try await traces(of: settings) == [], "killed after \(delay) ms")
    }
  }

  @Test func `a delayed link delays both ways, and leaves nothing`() async throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let program = root.appending(path: ".build/debug/duplex-lab").path
    let settings = Self.settings(5)
    let options = "--state \(settings.state)"
    let network = "--prefix \(settings.prefix) --network \(settings.network)"
    try await Tool.run("sh", "-c", "\(program) up \(options) \(network) --apps 1 --delay-ms 60")
    let app = try settings.host("app1")
    func connects(within seconds: String, from machine: [String] = []) async throws -> Bool {
      let connect = "exec 3<>/dev/tcp/\(app.address)/81"
      return try await Tool.attempt(machine + ["timeout", seconds, "bash", "-c", connect]).succeeded
    }
    let balancer = try settings.host("lb1").initProcess.map { ["nsenter", "-t", "\($0)", "-n"] }

    #expect(try await !connects(within: "0.11"))
    #expect(try await connects(within: "0.9"))
    #expect(try await connects(within: "0.11", from: try #require(balancer)))

    try await Tool.run("sh", "-c", "\(program) down \(options)")
    #expect(try await traces(of: settings) == [])
  }

  @Test func `power can be cut and the disk stays; a partition drops packets`() async throws {
    let lab = LabFleet(settings: Self.settings(4))
    try await lab.up { _ in }
    let app = try lab.settings.host("app1")
    func inside(_ words: String...) async throws -> Bool {
      guard let pid = app.initProcess else { return false }
      return try await Tool.attempt(["nsenter", "-t", String(pid), "-m"] + words).succeeded
    }
    func answers() async throws -> Bool {
      let connect = "exec 3<>/dev/tcp/\(app.address)/81"
      return try await Tool.attempt(["timeout", "0.5", "bash", "-c", connect]).succeeded
    }

    #expect(try await inside("touch", "/etc/kept"))
    try await lab.powerOff(app)
    #expect(try await !answers())
    try await lab.boot(app)
    try await lab.waitUntilUp(app)
    #expect(try await inside("test", "-e", "/etc/kept"))
    try await lab.partition(app, isCut: true)
    #expect(try await !answers())
    try await lab.partition(app, isCut: false)
    #expect(try await answers())

    try await lab.down()
    #expect(try await traces(of: lab.settings) == [])
  }

  @Test func `an inventory of the lab names what is there`() {
    let text = LabInventory(settings: Self.settings(5), apply: "auto", user: "root").text

    #expect(text.contains("  app1:\n    address: 10.87.0.21"))
    #expect(text.contains("shadow: 10.87.0.5:80"))
  }
}
