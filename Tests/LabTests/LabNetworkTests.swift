import Testing

@testable import Lab

/// Real labs, so root is needed: without it these fail, and say why.
@Suite(.serialized)
struct LabNetworkTests {
  private let settings = LabSettings(
    state: "/run/duplex-lab-network",
    prefix: "dxn",
    network: "10.79.1",
    apps: 1,
    balancers: 1
  )

  /// A lab for the body, which is taken down whatever comes of it.
  private func withLab(_ body: (LabFleet, LabHost) async throws -> Void) async throws {
    try await Requirements.check()
    let fleet = LabFleet(settings: settings)
    do {
      try await fleet.up { _ in }
      try await body(fleet, try settings.host("app1"))
    } catch {
      try await fleet.down()
      throw error
    }
    try await fleet.down()
  }

  /// The exit status of a try to connect: 0, 1 for a refusal of any kind, 124 for silence.
  private func connecting(to host: LabHost) async throws -> Int32 {
    try await Tool.runInForeground([
      "timeout", "4", "bash", "-c", "exec 3<>/dev/tcp/\(host.address)/81",
    ])
  }

  @Test func `a host has the address after a power cut by which others knew it`() async throws {
    try await withLab { fleet, app in
      func addresses() async throws -> [String] {
        let host = try await Tool.run("ip", "-n", app.namespace, "-br", "link", "show", "eth0")
        let bridge = try await Tool.run("ip", "-br", "link", "show", settings.bridge)
        return [host, bridge].map { String($0.split(separator: " ")[2]) }
      }

      let before = try await addresses()
      try await fleet.powerOff(app)
      try await fleet.boot(app)
      try await fleet.waitUntilUp(app)
      let after = try await addresses()

      #expect(before == ["02:6c:61:62:00:15", "02:6c:61:62:00:01"])
      #expect(after == before)
    }
  }

  @Test func `a host that is off or cut off is silent: nobody says that it cannot be reached`()
    async throws
  {
    try await withLab { fleet, app in
      // What was only learnt is forgotten, as it would be after half a minute.
      try await Tool.run("ip", "neigh", "flush", "dev", settings.bridge)
      try await fleet.partition(app, isCut: true)
      let cut = try await connecting(to: app)
      try await fleet.partition(app, isCut: false)
      let joined = try await connecting(to: app)
      try await fleet.powerOff(app)
      let off = try await connecting(to: app)

      #expect([cut, joined, off] == [124, 0, 124])
    }
  }
}
