import Fleet
import HAProxy
import Monit
import Remote
import Rollout
import Testing

@Suite struct HostStatusTests {
  @Test func `a host whose parts agree says which way its requests take`() {
    let proxied = World.proxied.status(of: "app1")
    let direct = World.direct.status(of: "app2")

    #expect(proxied.path == .proxy)
    #expect(proxied.runningAddress == "10.9.0.5:8080")
    #expect(direct.path == .direct)
    #expect(proxied.disagreements + direct.disagreements == [])
  }

  @Test func `a server that HAProxy does not run is named as such`() {
    var world = World.direct
    world.seeBalancer { $0.servers.removeFirst() }

    let status = world.status(of: "app1")

    #expect(status.runningAddress == "no such server")
    #expect(status.disagreements == [.fileAndProcessDiffer, .outOfService])
  }

  @Test func `a HAProxy that tells nothing is not taken for one that has no servers`() {
    var world = World.proxied
    world.seeBalancer { $0.servers = [] }

    let status = world.status(of: "app1")

    #expect(status.runningAddress == "?")
    #expect(status.disagreements == [.serversUnseen])

    world.seeHost("app1") { $0.host.process = nil }
    #expect(world.status(of: "app1").disagreements == [.proxyLost, .serversUnseen])
  }

  @Test func `a balancer that could not be seen has a row of its own`() {
    var world = World.proxied
    world.observation.balancers["lb1"] = .unreachable(RemoteError(.timedOut, detail: ""))

    let status = world.status(of: "app1")

    #expect(status.balancer == "lb1")
    #expect(status.path == .none)
    #expect(status.disagreements == [.unreachable])
  }

  @Test func `a host that cannot be reached is no host without a proxy`() {
    var world = World.proxied
    world.observation.hosts["app1"] = nil

    #expect(world.status(of: "app1").disagreements == [.unreachable])
  }

  @Test func `traffic to a proxy that is ill, or that monit has lost, is told`() {
    var world = World.proxied
    world.seeHost("app1") { seen in
      seen.host.process?.isHealthy = false
      seen.monit.service = MonitStatus(.notMonitored)
    }

    #expect(
      world.status(of: "app1").disagreements
        == [.trafficWithoutHealthyProxy, .trafficWithoutMonit]
    )
  }

  @Test func `a server that this tool took out is told from one that is out of service`() {
    #expect(World.halfSwitched.status(of: "app1").disagreements == [.takenOut])
  }
}
