import Fleet
import HAProxy
import Remote
import Rollout
import Testing

/// After a switch: does what HAProxy sends come through the proxy?
struct TrafficTests {
  private let app1 = ServerID(backend: "app", server: "app1")

  @Test func `requests that come through the proxy end the phase well`() {
    let outcome = run(
      look: 100,
      busy: [app1],
      traffic: StepReport(remark: .trafficSeen, relayedBytes: 200)
    )

    #expect(outcome == ["look", "watch", "traffic", "done"])
  }

  @Test func `nothing is watched for where HAProxy has no requests`() {
    #expect(
      run(look: 100, busy: [], traffic: StepReport(remark: .noTrafficSeen, relayedBytes: 100))
        == ["look", "watch", "done"]
    )
  }

  @Test func `what came before the watching began counts`() {
    #expect(
      run(look: 100, busy: [app1], traffic: StepReport(remark: .noTrafficSeen, relayedBytes: 101))
        == ["look", "watch", "traffic", "done"]
    )
  }

  @Test(arguments: [100, nil])
  func `requests of which the proxy sees none go past it, and the host is put back`(look: Int?) {
    let traffic = StepReport(remark: .noTrafficSeen, relayedBytes: look ?? 0)

    #expect(
      run(look: look, busy: [app1], traffic: traffic)
        == ["look", "watch", "traffic", "undo watch", "failed trafficGoesPast"]
    )
  }

  @Test func `requests for another server say nothing about this one`() {
    let other = ServerID(backend: "app", server: "app2")

    #expect(
      run(look: 1, busy: [other], traffic: StepReport(remark: .noTrafficSeen, relayedBytes: 1))
        == ["look", "watch", "done"]
    )
  }

  @Test func `the answers are read for it`() {
    let looked = answer("1234\n")
    #expect(
      Act.lookAgain.reading(looked, of: step(1, .lookAgain))
        == .done(StepReport(relayedBytes: 1234))
    )
    let watch = Act.watchRequests([.inService(app1, port: 8080)])
    let state = "state 3 app 1 app1 10.9.0.5 2 0 1 1 20 15 3 4 6 0 0 0 - 8080 - 0 0 - - 0\n"
    #expect(
      watch.reading(answer("busy app/app1\n" + state), of: step(1, watch))
        == .done(StepReport(busyServers: [app1]))
    )
    #expect(
      watch.reading(answer(state), of: step(1, watch))
        == .done(StepReport(remark: .noTrafficSeen, busyServers: []))
    )
  }

  /// Runs the three stages with these answers, and tells what the machine did.
  private func run(look: Int?, busy: [ServerID], traffic: StepReport) -> [String] {
    var watching = step(2, .watchRequests([]))
    watching.undo = [.init(.undrain([]), RemoteCommand("undrain", timeout: .seconds(1)))]
    let steps = [step(1, .lookAgain), watching, step(3, .awaitTraffic([app1]))]
    let names = [1: "look", 2: "watch", 3: "traffic"]
    let reports = [
      1: StepReport(relayedBytes: look), 2: StepReport(busyServers: busy), 3: traffic,
    ]
    var machine = RunMachine(
      plan: Plan(
        wish: .enabled,
        phases: [
          Phase(.switch, hosts: ["app1"], stages: steps.map { Stage(lanes: [[$0]]) })
        ]
      )
    )
    var told: [String] = []
    while true {
      switch machine.next() {
      case .run(let stage, _):
        for step in stage.lanes.flatMap(\.self) {
          told.append(names[step.number] ?? "?")
          let report = reports[step.number] ?? StepReport()
          machine.stageFinished([.init(step: step.number, outcome: .done(report))])
        }
      case .undo(let lanes):
        told += lanes.flatMap(\.self).map { "undo \(names[$0.step.number] ?? "?")" }
        machine.undoFinished(failures: [])
      case .finish(let result):
        switch result.hosts.first?.result {
        case .done: told.append("done")
        case .undone(let failure?): told.append("failed \(failure.reason)")
        default: told.append("something else")
        }
        return told
      }
    }
  }

  private func step(_ number: Int, _ act: Act) -> Step {
    Step(
      number: number,
      machine: "app1",
      hosts: ["app1"],
      act: act,
      command: RemoteCommand("true", timeout: .seconds(1))
    )
  }

  private func answer(_ text: String) -> CommandResult {
    CommandResult(termination: .exited(0), output: Array(text.utf8))
  }
}
