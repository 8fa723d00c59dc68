import Engine
import Fleet
import Remote
import Rollout
import TestSupport
import Testing

struct FleetSwitchingTests {
  private func host(_ name: MachineName) -> Host {
    Host(name: name, ssh: SSHAddress(address: "10.9.0.5", user: "root"), routes: [])
  }

  @Test func `every host gets the order, and one out of reach does not keep the others from it`()
    async throws
  {
    let (on, none) = (host("app1"), host("app2"))
    let app1 = ScriptedHost(
      "app1",
      expecting: [
        .init(
          CopyingSwitch.command(.off, on: on),
          output: "copying off since 2026-11-25T13:04:08Z\n"
        )
      ]
    )
    let app2 = ScriptedHost(
      "app2",
      expecting: [.init(CopyingSwitch.command(.off, on: none), exits: 20)]
    )
    let machines = Machines(connector: Connector(["app1": [app1], "app2": [app2]]))

    let answers = await FleetSwitching(machines: machines).give(
      .off,
      to: [on, none, host("app3")]
    )

    #expect(
      answers == [
        "app1": .state(CopyingState(isOn: false, since: "2026-11-25T13:04:08Z", shadows: [])),
        "app2": .notRunning,
        "app3": .unreachable(RemoteError(.unreachable, detail: "No route to host")),
      ]
    )
    await app1.expectNothingLeft()
    await app2.expectNothingLeft()
  }
}
