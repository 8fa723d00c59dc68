import Fleet
import HAProxy
import Rollout
import Testing

/// Planning an upgrade or a reload of proxies that run.
struct UpgradeTests {
  private var outdated: World {
    var world = World.proxied
    world.seeHost("app1") { seen in
      seen.host.process?.executable = "/opt/duplex-proxy/duplex-proxy-of-before"
      seen.host.link = "duplex-proxy-of-before"
      seen.host.digests = [:]
    }
    world.seeHost("app2") { seen in seen.host.process?.configurationIsNewer = true }
    return world
  }

  @Test func `each host in turn takes on what all were sent before, and its balancers try it`()
    throws
  {
    let plan = try outdated.answer(.upgraded).plan()

    #expect(
      plan.told == [
        "prepare app1 app2",
        "  app1 upload",
        "switch app1",
        "  app1 install, check, reload monit, upgrade, await health",
        "  lb1 probe 10.9.0.5:8080",
        "switch app2",
        "  app2 install, check, upgrade, await health",
        "  lb1 probe 10.9.0.6:8080",
      ]
    )
    #expect(plan.steps.map(\.number) == Array(1...plan.steps.count))
    #expect(plan.configurationChanges.isEmpty)
  }

  @Test func `the way back puts the files back before the process takes them on again`() throws {
    let plan = try outdated.answer(.upgraded, of: ["app1"]).plan()

    let undone = plan.steps.filter { !$0.undo.isEmpty }.map { step in
      "\(step.act.told) <- \(step.undo.map(\.act.told).joined(separator: ", "))"
    }
    #expect(
      undone == [
        "upload <- remove executable",
        "install <- restore, reload monit, upgrade",
      ]
    )
  }

  @Test func `a reload takes on the configuration, and leaves the executable as it is`() throws {
    let plan = try outdated.answer(.reloaded).plan()

    #expect(
      plan.told == [
        "switch app1",
        "  app1 install, check, reload monit, reload proxy, await health",
        "  lb1 probe 10.9.0.5:8080",
        "switch app2",
        "  app2 install, check, reload proxy, await health",
        "  lb1 probe 10.9.0.6:8080",
      ]
    )
    #expect(
      plan.steps.flatMap(\.undo).map(\.act.told)
        == ["restore", "reload monit", "reload proxy", "restore", "reload monit", "reload proxy"]
    )
    #expect(!plan.steps.contains { $0.command.script.contains("ln -s") })
  }

  @Test func `a proxy of another release with this configuration is left alone by a reload`() {
    var world = World.proxied
    world.seeHost("app1") { seen in
      seen.host.process?.executable = "/opt/duplex-proxy/duplex-proxy-of-before"
      seen.host.link = "duplex-proxy-of-before"
    }
    world.seeHost("app2") { seen in seen.host.architecture = "aarch64" }

    #expect(
      world.answer(.reloaded)
        == .plan(Plan(wish: .reloaded, phases: []), unchanged: ["app1", "app2"], warnings: [])
    )
  }

  @Test func `where all is of this release nothing is done`() {
    #expect(
      World.proxied.answer(.upgraded)
        == .plan(Plan(wish: .upgraded, phases: []), unchanged: ["app1", "app2"], warnings: [])
    )
  }

  @Test func `a host without a proxy is named`() {
    var world = outdated
    world.seeHost("app1") { seen in seen.host.process = nil }

    #expect(
      world.answer(.upgraded) == .refused([Finding("app1", .blocking, .proxyNotRunning)])
    )
  }

  @Test(arguments: [true, false])
  func `a balancer that cannot be asked is not in the way, and is named`(isRoot: Bool) {
    var world = outdated
    world.seeBalancer { seen in
      seen.isRoot = isRoot
      seen.servers = []
    }

    guard case .plan(_, _, let warnings) = world.answer(.upgraded) else {
      Issue.record("the balancer stopped it")
      return
    }
    #expect(warnings == [Finding("lb1", .warning, .trafficUnseen)])
  }

  @Test(arguments: [Wish.upgraded, .reloaded])
  func `a proxy that gets requests keeps the port that they come to`(wish: Wish) {
    var world = outdated
    world.hosts[0].routes[0].listenPort = 8090

    #expect(
      world.answer(wish)
        == .refused([
          Finding(
            "lb1",
            .blocking,
            .serverPortUnexpected(
              ServerID(backend: "app", server: "app1"),
              port: 8080,
              direct: 80,
              listen: 8090,
              line: 4
            )
          )
        ])
    )
  }

  @Test func `a server that gets no requests may move, and is not tried`() throws {
    var world = outdated
    world.hosts[0].routes[0].listenPort = 8090
    world.seeBalancer { seen in
      seen.servers[0] = World.server("app1", "10.9.0.5", 8080, administrative: 1, status: "MAINT")
    }

    let plan = try world.answer(.reloaded, of: ["app1"]).plan()

    #expect(
      plan.told == [
        "switch app1", "  app1 install, check, reload monit, reload proxy, await health",
      ]
    )
  }

  @Test func `a primary that does not listen is known before the proxy is told of it`() {
    var world = outdated
    world.seeHost("app1") { seen in seen.host.listeners = [] }

    #expect(
      world.answer(.reloaded, of: ["app1"])
        == .refused([
          Finding("app1", .blocking, .primaryNotListening(.tcp(host: "127.0.0.1", port: 80)))
        ])
    )
  }
}
