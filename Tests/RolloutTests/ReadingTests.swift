import Fleet
import HAProxy
import Remote
import Rollout
import Testing

/// What a machine's answer means depends on what it was asked to do.
struct ReadingTests {
  private let app1 = ServerID(backend: "app", server: "app1")
  private let app2 = ServerID(backend: "app", server: "app2")

  @Test(arguments: [
    (Act.awaitTraffic([]), Int32(0), StepOutcome.done(StepReport(remark: .trafficSeen))),
    (.awaitTraffic([]), 11, .done(StepReport(remark: .noTrafficSeen))),
    (.restoreFiles, 0, .done(StepReport())),
    (.startProxy, 0, .done(StepReport())),
    (.reload, 0, .done(StepReport())),
  ])
  func `what went well is done`(act: Act, status: Int32, outcome: StepOutcome) {
    #expect(act.reading(answer(exits: status), of: step(act)) == outcome)
  }

  @Test(arguments: [
    (Act.uploadExecutable(sha256: "a"), Int32(10), StepFailure.Reason.transferDamaged, true),
    (.restoreFiles, 1, .refused, true), (.restoreFiles, 11, .timedOut, true),
    (.awaitHealth, 1, .neverHealthy, true), (.lookAgain, 1, .neverHealthy, false),
    (.awaitIdle, 11, .sessionsLeft, false),
    (.startProxy, 46, .notRunning, true), (.stopProxy, 46, .stillRunning, true),
    (.reloadMonit, 43, .invalidConfiguration, true), (.startProxy, 41, .monitNotRunning, true),
    (.stopProxy, 99, .unexpectedAnswer, true),
    (.reload, 60, .fileChangedByOthers, false),
    (.validateEdits(count: 1), 61, .invalidConfiguration, false),
    (.remove([]), 62, .fileChangedByOthers, false), (.remove([]), 63, .refused, false),
    (.drain([]), 64, .sessionsLeft, true), (.add([]), 65, .refused, true),
    (.add([]), 66, .stateDiffers, true), (.add([]), 67, .stateDiffers, true),
    (.reload, 68, .refused, true), (.awaitOldWorkers, 69, .oldWorkersLeft, false),
    (.probe([]), 70, .notReachableFromBalancer, false), (.add([]), 1, .unexpectedAnswer, true),
  ])
  func `what failed says why, and whether anything may have changed`(
    act: Act,
    status: Int32,
    reason: StepFailure.Reason,
    possible: Bool
  ) {
    let failure = step(act).failure(reason, "said", possible ? .possible : .none)

    #expect(
      act.reading(answer(exits: status, errors: "said\n"), of: step(act)) == .failed(failure)
    )
  }

  @Test(arguments: [
    Act.restoreFiles, .startProxy, .reload, .readServers([]), .awaitHealth,
    .awaitTraffic([]), .watchRequests([]),
  ])
  func `a command that was ended by a signal failed`(act: Act) {
    let killed = CommandResult(termination: .signalled("KILL"))

    guard case .failed(let failure) = act.reading(killed, of: step(act)) else {
      Issue.record("not failed")
      return
    }
    #expect(failure.seen == "(ended by signal KILL)")
  }

  @Test func `servers that are as expected are`() {
    let act = Act.readServers([
      .anotherUp(backend: "app", besides: [app2]), .inService(app1, port: 80),
      .inService(app1, port: nil), .outOfService(app2),
      .outOfService(ServerID(backend: "app", server: "gone")),
    ])

    #expect(act.reading(servers, of: step(act)) == .done(StepReport()))
  }

  @Test func `each expectation that is not met says what is seen instead`() {
    let gone = ServerID(backend: "app", server: "gone")
    let expectations: [(ServerExpectation, String, StepFailure.Effect)] = [
      (
        .anotherUp(backend: "app", besides: [app1]),
        "no other server of app is up (app/app2 MAINT)", .none
      ),
      (
        .anotherUp(backend: "none", besides: []), "no other server of none is up (there is none)",
        .none
      ),
      (.inService(app1, port: 8080), "app/app1 is at port 80, not 8080", .possible),
      (.inService(app2, port: 80), "app/app2 is MAINT", .possible),
      (.inService(gone, port: 80), "app/gone is gone", .possible),
      (.outOfService(app1), "app/app1 is still UP", .possible),
    ]

    for (expectation, words, effect) in expectations {
      let act = Act.readServers([.outOfService(app2), expectation])
      #expect(
        act.reading(servers, of: step(act))
          == .failed(step(act).failure(.stateDiffers, words, effect))
      )
    }
  }

  private let servers = CommandResult(
    termination: .exited(0),
    output: Array(
      """
      state 3 app 1 app1 10.9.0.5 2 0 1 1 20 15 3 4 6 0 0 0 - 80 - 0 0 - - 0
      state 3 app 2 app2 10.9.0.6 0 1 1 1 20 15 3 4 6 0 0 0 - 80 - 0 0 - - 0
      stat # pxname,svname,scur,stot,qcur,status,
      stat app,app1,0,0,0,UP,
      stat app,app2,0,0,0,MAINT,

      """.utf8
    )
  )

  private func answer(exits status: Int32, errors: String = "") -> CommandResult {
    CommandResult(termination: .exited(status), errors: Array(errors.utf8))
  }

  private func step(_ act: Act) -> Step {
    Step(
      number: 1,
      machine: "lb1",
      hosts: ["app1"],
      act: act,
      command: RemoteCommand("true", timeout: .seconds(1))
    )
  }
}
