import Fleet
import HAProxy
import Monit
import Remote
import Rollout
import Testing

struct InspectorTests {
  private let app1 = ServerID(backend: "app", server: "app1")
  private let app2 = ServerID(backend: "app", server: "app2")

  @Test func `the last server that is up is not taken out of service`() {
    var world = World.direct
    world.seeBalancer { seen in
      seen.servers[1].operational = .down
      seen.servers[1].status = "DOWN"
    }

    #expect(
      world.answer(.enabled, of: ["app1"])
        == .refused([Finding("lb1", .blocking, .lastServerUp(app1))])
    )
  }

  @Test func `a batch must leave a server to carry the traffic`() {
    var world = World.direct
    world.batch = .hosts(2)

    #expect(
      world.answer(.enabled)
        == .refused([
          Finding("lb1", .blocking, .lastServerUp(app1)),
          Finding("lb1", .blocking, .lastServerUp(app2)),
        ])
    )
  }

  @Test(arguments: [Wish.enabled, .disabled, .takenOut])
  func `a file that others changed since HAProxy read it stops a run`(wish: Wish) {
    var world = wish == .enabled ? World.direct : World.proxied
    world.seeBalancer { $0.fileChanged = 3 }

    #expect(
      world.answer(wish)
        == .refused([
          Finding("lb1", .blocking, .unloadedEdits(path: "/etc/haproxy/haproxy.cfg"))
        ])
    )
  }

  @Test(arguments: [
    (Wish.enabled, "10.9.0.99", true), (.enabled, "10.9.0.2", false),
    (.enabled, "10.9.0.0/24", false), (.upgraded, "10.9.0.99", true),
    (.reloaded, "10.9.0.99", true), (.disabled, "10.9.0.99", false),
  ])
  func `an allow that leaves out all balancers is warned of`(
    wish: Wish,
    range: String,
    isWarned: Bool
  ) {
    var world = World.proxied
    world.hosts[0].routes[0].allow = [range].compactMap(AddressRange.init(written:))

    let warnings: [Finding] =
      if case .plan(_, _, let warnings) = world.answer(wish, of: ["app1"]) { warnings } else { [] }

    let warning = Finding("app1", .warning, .balancersNotAllowed("web", ["lb1"]))
    #expect(warnings.filter { $0 == warning }.count == (isWarned ? 1 : 0))
  }

  @Test func `an allow that leaves out one of two balancers names that one`() {
    var world = World.proxied
    world.otherBalancers = [
      Balancer(name: "lb2", ssh: SSHAddress(address: "10.9.0.3", user: "root"), backends: ["app"])
    ]
    world.observation.balancers["lb2"] = world.observation.balancers["lb1"]
    world.hosts[0].routes[0].allow = ["10.9.0.2"].compactMap(AddressRange.init(written:))
    guard case .plan(_, _, let warnings) = world.answer(.enabled, of: ["app1"]) else {
      Issue.record("\(world.answer(.enabled, of: ["app1"]))")
      return
    }

    #expect(warnings == [Finding("app1", .warning, .balancersNotAllowed("web", ["lb2"]))])
  }

  @Test(arguments: [Wish.disabled, .rolledBack])
  func `where all servers are down, the way back is open`(wish: Wish) throws {
    var world = World.proxied
    world.seeBalancer { seen in
      for index in seen.servers.indices {
        seen.servers[index].operational = .down
        seen.servers[index].status = "DOWN"
      }
    }

    let plan = try world.answer(wish).plan()

    #expect(plan.told.filter { $0.contains("rewrite") }.count == 2, "\(plan.told)")
    #expect(!plan.told.contains { $0.contains("drain") })
    // What was down is put back down, and not waited for.
    let undo = plan.steps.compactMap { step in
      if case .remove = step.act { step.undo.first?.command.script } else { nil }
    }
    #expect(undo.count == 2)
    #expect(undo.allSatisfy { $0.contains("state ready") && !$0.contains("is not up") })
  }

  @Test func `a check that only connects is warned of before it ends at the proxy`() {
    var world = World.direct
    world.seeBalancer { seen in
      let text = String(decoding: seen.fileBytes, as: UTF8.self)
      seen.fileBytes = Array(text.replacing("option httpchk", with: "retries 2").utf8)
      seen.sha256 = World.digest(seen.fileBytes)
    }
    guard case .plan(_, _, let warnings) = world.answer(.enabled) else {
      Issue.record("\(world.answer(.enabled))")
      return
    }

    #expect(warnings == [Finding("lb1", .warning, .checkEndsAtProxy("app"))])
  }

  @Test(arguments: [Wish.upgraded, .reloaded])
  func `a new allow that leaves out all balancers stops a change of what gets requests`(wish: Wish)
  {
    var world = World.proxied
    world.seeHost("app1") { $0.host.process?.configurationIsNewer = true }
    world.hosts[0].routes[0].allow = ["10.9.0.99"].compactMap(AddressRange.init(written:))

    #expect(
      world.answer(wish, of: ["app1"])
        == .refused([Finding("app1", .blocking, .balancersNotAllowed("web", ["lb1"]))])
    )
  }

  @Test func `a monit that cannot stop the proxy is known before traffic moves`() throws {
    var world = World.proxied
    world.seeHost("app1") { $0.monit.daemon = nil }
    let finding = Finding("app1", .blocking, .monit(.daemonNotRunning))

    #expect(world.answer(.disabled) == .refused([finding]))
    guard case .plan(_, _, let warnings) = world.answer(.rolledBack, of: ["app1"]) else {
      Issue.record("a rollback goes as far as it can")
      return
    }
    #expect(warnings.map(\.kind) == [finding.kind])
  }

  @Test(arguments: [Wish.enabled, .disabled, .rolledBack])
  func `a server that this tool wrote into the file and HAProxy has not loaded stops nothing`(
    wish: Wish
  ) throws {
    var world = World.proxied
    world.seeBalancer { seen in
      seen.servers.removeAll { $0.id == app1 }
      seen.fileChanged = 3
    }
    let unknown = Finding("lb1", .blocking, .serverNotRunning(app1))
    guard case .refused(let findings) = world.answer(wish, of: ["app1"]) else {
      Issue.record("what others wrote is not loaded")
      return
    }
    #expect(findings.contains(unknown))

    world.seeBalancer { $0.lastWritten = $0.sha256 }

    #expect(try world.answer(wish, of: ["app1"]).plan().told.contains("  lb1 add app/app1, reload"))
  }

  @Test func `a balancer none of whose sockets answers is named as such`() {
    var world = World.direct
    world.seeBalancer { seen in
      seen.servers = []
      seen.statsSocketProblem = "no such"
      seen.masterSocketProblem = nil
    }

    #expect(
      world.answer(.enabled)
        == .refused([
          Finding("lb1", .blocking, .serversUnseen(stats: "no such", master: "no answer"))
        ])
    )
  }

  @Test func `what was taken out on purpose is not put back unsaid`() throws {
    guard case .plan(_, _, let warnings) = World.halfSwitched.answer(.enabled) else {
      Issue.record("\(World.halfSwitched.answer(.enabled))")
      return
    }
    #expect(warnings.map(\.kind).contains { if case .serverTakenOut = $0 { true } else { false } })
  }

  @Test func `what this tool itself wrote is no stranger's edit`() throws {
    var world = World.direct
    world.seeBalancer { seen in
      seen.fileChanged = 3
      seen.lastWritten = seen.sha256
    }

    #expect(try !world.answer(.enabled).plan().isEmpty)
  }

  @Test func `a rollback at runtime does not wait for others' edits, one by reload does`() {
    var world = World.halfSwitched
    world.seeBalancer { $0.fileChanged = 3 }
    let kind = Finding.Kind.unloadedEdits(path: "/etc/haproxy/haproxy.cfg")

    guard case .plan(let plan, _, let warnings) = world.answer(.rolledBack) else {
      Issue.record("\(World.halfSwitched.answer(.enabled))")
      return
    }
    #expect(!plan.isEmpty)
    #expect(warnings == [Finding("lb1", .warning, kind)])

    world.balancer.applying = .reload
    guard case .refused(let findings) = world.answer(.rolledBack) else {
      Issue.record("not refused")
      return
    }
    #expect(findings.contains(Finding("lb1", .blocking, kind)))
  }

  @Test func `a drained server without a mark of ours is somebody's decision`() {
    var world = World.direct
    world.seeBalancer { seen in
      seen.servers[0].administrative = 8
      seen.servers[0].status = "DRAIN"
    }

    #expect(
      world.answer(.enabled, of: ["app1"])
        == .refused([
          Finding("lb1", .blocking, .serverDrained(app1, host: "app1", state: "DRAIN"))
        ])
    )
  }

  @Test func `a port that is neither the primary's nor the proxy's is not guessed at`() {
    var world = World.direct
    world.seeBalancer { seen in
      seen.fileBytes = Array(
        World.configuration(app1: "server app1 10.9.0.5:90", app2: World.app2).utf8
      )
      seen.servers[0].port = 90
    }

    #expect(
      world.answer(.enabled, of: ["app1"])
        == .refused([
          Finding(
            "lb1",
            .blocking,
            .serverPortUnexpected(app1, port: 90, direct: 80, listen: 8080, line: 4)
          )
        ])
    )
  }

  @Test func `checks that go to another port are a warning`() {
    var world = World.direct
    world.seeBalancer { seen in
      seen.fileBytes = Array(
        World.configuration(
          app1: "server app1 10.9.0.5:80 check port 9000",
          app2: World.app2
        ).utf8
      )
    }

    guard case .plan(_, _, let warnings) = world.answer(.enabled, of: ["app1"]) else {
      Issue.record("\(World.halfSwitched.answer(.enabled))")
      return
    }
    #expect(
      warnings == [
        Finding("lb1", .warning, .checkBypassesProxy(app1, checkPort: 9000, line: 4))
      ]
    )
  }

  @Test func `everything that is wrong with a host is said at once`() {
    var world = World.direct
    world.seeHost("app2") { seen in
      seen.host.architecture = "aarch64"
      seen.host.hasUser = false
      seen.host.hasGroup = false
      seen.host.missingTools = ["sha256sum"]
      seen.host.listeners = [.init(address: "*", port: 8080, program: "java", pid: 77)]
      seen.monit.daemon = nil
    }

    let kinds: [Finding.Kind] = [
      .wrongArchitecture(host: "aarch64", executable: "x86_64"), .userMissing("nobody"),
      .groupMissing("nogroup"), .toolsMissing(["sha256sum"]),
      .portTaken(port: 8080, program: "java", pid: 77),
      .primaryNotListening(.tcp(host: "127.0.0.1", port: 80)), .monit(.daemonNotRunning),
    ]
    #expect(
      world.answer(.enabled) == .refused(kinds.map { Finding("app2", .blocking, $0) })
    )
  }

  @Test func `machines that do not answer are named, hosts before balancers`() {
    var world = World.direct
    let lost = RemoteError(.unreachable, detail: "No route to host")
    let refused = CommandResult(
      termination: .exited(1),
      errors: Array("sudo: a password is required\n".utf8)
    )
    world.observation.hosts["app1"] = .unreachable(lost)
    world.observation.balancers["lb1"] = .unreadable(refused)

    #expect(
      world.answer(.enabled)
        == .refused([
          Finding("app1", .blocking, .unreachable(lost)),
          Finding("lb1", .blocking, .unreadable("sudo: a password is required")),
        ])
    )
  }

  @Test func `without root's rights nothing else is looked at`() {
    var world = World.direct
    world.seeHost("app1") { $0.host.isRoot = false }
    world.seeBalancer { $0.isRoot = false }

    #expect(
      world.answer(.enabled)
        == .refused([
          Finding("app1", .blocking, .notRoot(sudo: false)),
          Finding("lb1", .blocking, .notRoot(sudo: false)),
        ])
    )
  }

  @Test func `a balancer on which no HAProxy runs with the file is refused`() {
    var world = World.direct
    world.seeBalancer { $0.process = nil }

    #expect(
      world.answer(.enabled) == .refused([Finding("lb1", .blocking, .haproxyNotRunning)])
    )
  }
}
