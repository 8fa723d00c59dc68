import Engine
import Fleet
import HAProxy
import Monit
import Remote
import Rollout
import TestSupport
import Testing

struct FleetSurveyTests {
  private let host = Host(
    name: "app1",
    ssh: SSHAddress(address: "10.9.0.5", user: "root"),
    routes: []
  )
  private let balancer = Balancer(
    name: "lb1",
    ssh: SSHAddress(address: "10.9.0.2", user: "root"),
    backends: ["app"]
  )

  @Test func `a host is seen with its monit, by commands that only look`() async throws {
    let app1 = ScriptedHost(
      "app1",
      expecting: [
        .init(
          HostSurvey.command(for: host, executable: "abc"),
          output: "architecture x86_64\nend\n"
        ),
        .init(monitSurvey, exits: 40),
      ]
    )

    let seen = await look(["app1": [app1]], at: [host], [])

    var expected = HostObservation()
    expected.architecture = "x86_64"
    #expect(
      seen
        == FleetObservation(
          hosts: [
            "app1": .seen(HostSighting(host: expected, monit: MonitObservation(version: nil)))
          ])
    )
    await app1.expectNothingLeft()
  }

  @Test func `a machine out of reach does not keep the others from being seen`() async throws {
    let lb1 = ScriptedHost(
      "lb1",
      expecting: [.init(balancerSurvey, output: "uid 0\nend\n")]
    )

    let seen = await look(["lb1": [lb1]], at: [host], [balancer])

    var expected = BalancerObservation()
    expected.isRoot = true
    expected.statsSocketProblem = "the inventory names none"
    expected.masterSocketProblem = "the inventory names none"
    expected.lacksSocketClient = true
    #expect(
      seen
        == FleetObservation(
          hosts: [
            "app1": .unreachable(RemoteError(.unreachable, detail: "No route to host"))
          ],
          balancers: ["lb1": .seen(expected)]
        )
    )
  }

  @Test func `an answer that cannot be read is kept as it came`() async throws {
    let app1 = ScriptedHost(
      "app1",
      expecting: [
        .init(HostSurvey.command(for: host, executable: "abc"), exits: 1, errors: "sudo: no\n"),
        .init(monitSurvey, exits: 1),
      ]
    )
    let lb1 = ScriptedHost("lb1", expecting: [.init(balancerSurvey, exits: 1, errors: "no\n")])

    let seen = await look(["app1": [app1], "lb1": [lb1]], at: [host], [balancer])

    #expect(
      seen
        == FleetObservation(
          hosts: ["app1": .unreadable(failed("sudo: no\n"))],
          balancers: ["lb1": .unreadable(failed("no\n"))]
        )
    )
  }

  @Test func `what haproxy -c says of the file as it is is part of what is seen`() async throws {
    let text = """
      uid 0
      file /etc/haproxy/haproxy.cfg
      client perl
      master 1
      executable /usr/sbin/haproxy
      source /etc/haproxy/haproxy.cfg
      end

      """
    let found = BalancerSurvey.reading(
      CommandResult(termination: .exited(0), output: Array(text.utf8))
    )
    var expected = try #require(found)
    let check = try #require(expected.process).checkAsItIs()
    expected.configurationError = "unknown keyword"
    let lb1 = ScriptedHost(
      "lb1",
      expecting: [
        .init(balancerSurvey, output: text),
        .init(check, exits: 61, errors: "unknown keyword\n"),
      ]
    )

    let seen = await look(["lb1": [lb1]], at: [], [balancer])

    #expect(seen == FleetObservation(balancers: ["lb1": .seen(expected)]))
  }

  private var monitSurvey: RemoteCommand {
    MonitService(host: host).survey(timeout: host.timeouts.command)
  }

  private var balancerSurvey: RemoteCommand {
    BalancerSurvey.command(
      configuration: balancer.configuration,
      statsSocket: balancer.statsSocket,
      masterSocket: balancer.masterSocket,
      timeout: balancer.timeouts.command
    )
  }

  private func failed(_ errors: String) -> CommandResult {
    CommandResult(termination: .exited(1), errors: Array(errors.utf8))
  }

  private func look(
    _ conversations: [MachineName: [any RemoteHost]],
    at hosts: [Host],
    _ balancers: [Balancer]
  ) async -> FleetObservation {
    await FleetSurvey(machines: Machines(connector: Connector(conversations)))
      .look(at: hosts, executables: ["app1": "abc"], balancers: balancers)
  }
}
