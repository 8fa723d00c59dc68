import Fleet
import HAProxy
import Remote
import Rollout
import Testing

struct PlannerTests {
  @Test func `enabling from nothing prepares both hosts and switches one after the other`() throws {
    let plan = try World.direct.answer(.enabled).plan()

    #expect(
      plan.told == [
        "prepare app1 app2",
        "  app1 upload, install, check, start, await health | app2 upload, install, check, start, await health"
          + " | lb1 validate 6",
        "  lb1 probe 10.9.0.5:8080 10.9.0.6:8080",
        "switch app1",
        "  lb1 read servers | app1 look again",
        "  lb1 drain app/app1",
        "  lb1 remove app/app1",
        "  lb1 rewrite app/app1 to 8080",
        "  lb1 add app/app1",
        "  lb1 watch requests",
        "  app1 await traffic",
        "switch app2",
        "  lb1 read servers | app2 look again",
        "  lb1 drain app/app2",
        "  lb1 remove app/app2",
        "  lb1 rewrite app/app2 to 8080",
        "  lb1 add app/app2",
        "  lb1 watch requests",
        "  app2 await traffic",
      ]
    )
    #expect(plan.steps.map(\.number) == Array(1...plan.steps.count))
    #expect(plan.changedText == World.proxied.configurationText)
  }

  @Test func `what moves traffic is taken back by its opposite`() throws {
    let plan = try World.direct.answer(.enabled, of: ["app1"]).plan()

    let undone = plan.steps.filter { $0.machine == "lb1" && !$0.undo.isEmpty }.map { step in
      "\(step.act.told) <- \(step.undo.map(\.act.told).joined(separator: ", "))"
    }
    #expect(
      undone == [
        "drain app/app1 <- undrain app/app1",
        "remove app/app1 <- add app/app1",
        "rewrite app/app1 to 8080 <- rewrite app/app1 to 80",
        "add app/app1 <- drain app/app1, remove app/app1",
      ]
    )
  }

  @Test func `disabling leads the traffic back and then stops the proxy`() throws {
    let plan = try World.proxied.answer(.disabled, of: ["app1"]).plan()

    #expect(
      plan.told == [
        "prepare app1",
        "  lb1 validate 3",
        "  lb1 probe 10.9.0.5:80",
        "switch app1",
        "  lb1 read servers",
        "  lb1 drain app/app1",
        "  lb1 remove app/app1",
        "  lb1 rewrite app/app1 to 80",
        "  lb1 add app/app1",
        "  lb1 read servers",
        "retire app1",
        "  lb1 await old workers",
        "  app1 await idle, stop",
      ]
    )
  }

  @Test(arguments: [
    (World.proxied, Wish.enabled), (World.direct, .disabled), (World.direct, .rolledBack),
    (World.direct, .putBack), (World.proxied, .putBack),
  ])
  func `where all is as wished nothing is done`(world: World, wish: Wish) {
    #expect(
      world.answer(wish)
        == .plan(
          Plan(wish: wish, phases: []),
          unchanged: ["app1", "app2"],
          warnings: []
        )
    )
  }

  @Test func `only the host that is not as wished is touched`() throws {
    var world = World.proxied
    world.seeBalancer { seen in
      seen.fileBytes = Array(
        World.configuration(app1: "server app1 10.9.0.5:8080", app2: World.app2).utf8
      )
      seen.servers[1].port = 80
    }

    guard case .plan(let plan, let unchanged, _) = world.answer(.enabled) else {
      Issue.record("no plan")
      return
    }

    #expect(unchanged == ["app1"])
    #expect(plan.hosts == ["app2"])
  }

  @Test func `a run that was cut off is rolled back without draining what is out already`() throws {
    let plan = try World.halfSwitched.answer(.rolledBack).plan()

    #expect(
      plan.told == [
        "prepare app1",
        "  lb1 validate 2",
        "  lb1 probe 10.9.0.5:80",
        "switch app1",
        "  lb1 read servers",
        "  lb1 remove app/app1",
        "  lb1 rewrite app/app1 to 80",
        "  lb1 add app/app1",
        "  lb1 read servers",
        "retire app1",
        "  lb1 await old workers",
        "  app1 await idle, stop",
      ]
    )
    #expect(plan.changedText == World.direct.configurationText)
  }

  @Test(arguments: [Balancer.Applying.automatic, .reload])
  func `a server that a reload has taken out comes back by a reload`(
    applying: Balancer.Applying
  ) throws {
    var world = World.halfSwitched
    world.balancer.applying = applying
    world.seeBalancer { $0.servers.removeAll { $0.id.server == "app1" } }

    let plan = try world.answer(.rolledBack).plan()

    #expect(
      plan.told == [
        "prepare app1",
        "  lb1 validate 2",
        "  lb1 probe 10.9.0.5:80",
        "switch app1",
        "  lb1 read servers",
        "  lb1 rewrite app/app1 to 80",
        "  lb1 add app/app1, reload",
        "  lb1 read servers",
        "retire app1",
        "  lb1 await old workers",
        "  app1 await idle, stop",
      ]
    )
    #expect(plan.changedText == World.direct.configurationText)
  }

  @Test func `without a master socket no reload can bring a server back`() throws {
    var world = World.halfSwitched
    world.seeBalancer {
      $0.servers.removeAll { $0.id.server == "app1" }
      $0.process?.masterSocket = nil
      $0.masterSocketProblem = "none"
    }

    #expect(
      world.answer(.rolledBack) == .refused([Finding("lb1", .blocking, .reloadImpossible("none"))])
    )
  }

  @Test func `taking a host out touches neither its port nor its proxy`() throws {
    let plan = try World.proxied.answer(.takenOut, of: ["app1"]).plan()

    #expect(
      plan.told == [
        "prepare app1", "  lb1 validate 1", "switch app1", "  lb1 read servers",
        "  lb1 drain app/app1", "  lb1 remove app/app1", "  lb1 read servers",
      ]
    )
    #expect(
      plan.changedText
        == World.configuration(
          app1: "server app1 10.9.0.5:8080",
          app2: "server app2 10.9.0.6:8080",
          marker: "#duplexctl-disabled "
        )
    )
  }

  @Test func `a host that is dead can be taken out`() throws {
    var world = World.proxied
    let error = RemoteError(.timedOut, detail: "no answer")
    world.observation.hosts["app1"] = .unreachable(error)
    guard case .plan(let plan, _, let warnings) = world.answer(.takenOut, of: ["app1"]) else {
      Issue.record("\(world.answer(.takenOut, of: ["app1"]))")
      return
    }

    #expect(
      plan.told == [
        "prepare app1", "  lb1 validate 1", "switch app1", "  lb1 read servers",
        "  lb1 remove app/app1", "  lb1 read servers",
      ]
    )
    #expect(warnings == [Finding("app1", .warning, .unreachable(error))])
    #expect(
      world.answer(.putBack, of: ["app1"])
        == .refused([Finding("app1", .blocking, .unreachable(error))])
    )
  }

  @Test func `putting a host back adds its line at the port it has`() throws {
    let plan = try World.halfSwitched.answer(.putBack, of: ["app1"]).plan()

    #expect(
      plan.told == [
        "prepare app1", "  lb1 validate 1", "switch app1", "  lb1 read servers",
        "  lb1 add app/app1", "  lb1 read servers",
      ]
    )
  }

  @Test func `where only a reload may carry the edits, each change of the rotation is reloaded`()
    throws
  {
    var world = World.direct
    world.balancer.applying = .reload

    let plan = try world.answer(.enabled, of: ["app1"]).plan()

    #expect(
      plan.phases[1].told == [
        "switch app1",
        "  lb1 read servers | app1 look again",
        "  lb1 remove app/app1, reload",
        "  lb1 rewrite app/app1 to 8080",
        "  lb1 add app/app1, reload",
        "  lb1 watch requests",
        "  app1 await traffic",
      ]
    )
  }

  @Test func `hosts of one batch move together`() throws {
    var world = World.direct
    world.batch = .hosts(2)
    world.addServer("app3")

    let plan = try world.answer(.enabled).plan()

    #expect(plan.phases.map { $0.told[0] } == ["prepare app1 app2", "switch app1 app2"])
    #expect(plan.phases[1].told[2] == "  lb1 drain app/app1 app/app2")
  }
}
