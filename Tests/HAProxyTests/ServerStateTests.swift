import HAProxy
import Remote
import Testing

struct ServerStateTests {
  @Test func `servers are read with their counters, whatever the order of the columns`() {
    let result = CommandResult(
      termination: .exited(0),
      output: Array(
        """
        state 1
        state # be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight
        state 3 app 1 app1 10.9.0.5 2 0 1 1 20 15 3 4 6 0 0 0 - 80 - 0 0 - - 0
        state 3 app 2 app2 fd00::6 0 1 1 1 20 15 3 4 6 0 0 0 - 8079 - 0 0 - - 0
        state\u{20}
        stat # pxname,svname,scur,stot,qcur,status,
        stat app,app1,3,120,1,UP,
        stat app,app2,0,7,0,MAINT,
        stat\u{20}

        """.utf8
      )
    )

    #expect(
      ServerState.reading(result) == [
        ServerState(
          id: "app/app1",
          address: "10.9.0.5",
          port: 80,
          operational: .up,
          administrative: 0,
          status: "UP",
          currentSessions: 3,
          totalSessions: 120,
          queued: 1
        ),
        ServerState(
          id: "app/app2",
          address: "fd00::6",
          port: 8079,
          operational: .down,
          administrative: 1,
          status: "MAINT",
          currentSessions: 0,
          totalSessions: 7,
          queued: 0
        ),
      ]
    )
  }

  @Test(arguments: [
    CommandResult(termination: .exited(1), output: Array(row.utf8)),
    CommandResult(termination: .signalled("TERM"), output: Array(row.utf8)),
    CommandResult(termination: .exited(0)),
    CommandResult(termination: .exited(0), output: Array("stat app,app1,0\n".utf8)),
    CommandResult(termination: .exited(0), output: Array("state 3 app 1 app1 10.9.0.5 2\n".utf8)),
    CommandResult(termination: .exited(0), output: Array("Permission denied\n".utf8)),
  ])
  func `an answer without a server is no reading`(result: CommandResult) {
    #expect(ServerState.reading(result) == nil)
  }

  private static let row =
    "state 3 app 1 app1 10.9.0.5 2 0 1 1 20 15 3 4 6 0 0 0 - 80 - 0 0 - - 0\n"

  @Test(arguments: [
    // administrative, operational, ready, takes requests
    (0, ServerState.Operational.up, true, true), (0, .down, true, false),
    (0, .starting, true, false), (0, .stopping, true, false), (4, .up, true, true),
    (1, .up, false, false), (5, .up, false, false), (8, .up, false, false),
    (32, .up, false, false),
  ])
  func `maintenance and drain take a server out, the disabled of the file does not`(
    administrative: Int,
    operational: ServerState.Operational,
    ready: Bool,
    takes: Bool
  ) {
    let state = ServerState(
      id: "app/app1",
      address: "10.9.0.5",
      port: 80,
      operational: operational,
      administrative: administrative,
      status: "",
      currentSessions: 0,
      totalSessions: 0,
      queued: 0
    )

    #expect(state.isReady == ready)
    #expect(state.takesRequests == takes)
  }
}
