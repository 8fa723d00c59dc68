import HAProxy
import Remote
import Testing

struct BalancerSurveyTests {
  private let whole = """
    uid 0
    file /etc/haproxy/haproxy.cfg
    bytes YmFja2VuZCBhcHAKCf8=
    sha256 0d1c
    changed 1700000300.50
    written 0d1c
    client socat
    client perl
    master 100
    executable /usr/sbin/haproxy
    source /etc/haproxy/other.cfg
    worker 101
    started 1700000000.25
    master 200
    executable /usr/sbin/haproxy
    source /etc/haproxy/haproxy.cfg
    folder /etc/haproxy/conf.d
    worker 201
    started 1700000100.75
    stats-socket /run/haproxy/admin.sock
    stats-says No such backend.
    stats-says\u{20}
    state 3 app 1 app1 10.9.0.5 2 0 1 1 20 15 3 4 6 0 0 0 - 80 - 0 0 - - 0
    stat # pxname,svname,scur,stot,qcur,status,
    stat app,app1,3,120,1,UP,
    version 2.6.12-1+deb12u4
    master-socket /run/haproxy-master.sock
    master-says #<PID> <type> <reloads> <uptime> <version>
    master-says 200 master 1 [failed: 0] 0d00h10m07s 2.6.12
    master-says # workers
    master-says 201 worker 0 0d00h00m07s 2.6.12
    master-says # old workers
    master-says 150 worker 1 0d00h09m07s 2.6.12
    master-says 151 worker 2 0d00h09m09s 2.6.12
    master-says\u{20}
    master-says # programs
    end

    """

  @Test func `a balancer is seen with the process that was started with the file`() {
    var expected = BalancerObservation()
    expected.isRoot = true
    expected.process = HAProxyProcess(
      configuration: "/etc/haproxy/haproxy.cfg",
      sources: [
        .init(path: "/etc/haproxy/haproxy.cfg", isFolder: false),
        .init(path: "/etc/haproxy/conf.d", isFolder: true),
      ],
      executable: "/usr/sbin/haproxy",
      masterPID: 200,
      statsSocket: "/run/haproxy/admin.sock",
      masterSocket: "/run/haproxy-master.sock",
      client: .socat,
      timeout: .seconds(30)
    )
    expected.version = "2.6.12-1+deb12u4"
    expected.isMasterWorker = true
    expected.fileBytes = Array("backend app\n\t".utf8) + [0xFF]
    expected.sha256 = "0d1c"
    expected.fileChanged = 1_700_000_300.5
    expected.workerStarted = 1_700_000_100.75
    expected.lastWritten = "0d1c"
    expected.servers = [
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
      )
    ]
    expected.oldWorkers = 2

    #expect(reading(whole) == expected)
  }

  @Test func `what ends early is no reading`() {
    #expect(reading(String(whole.dropLast("end\n".count))) == nil)
    #expect(reading("") == nil)
  }

  @Test func `a file that no process was started with has none`() {
    let seen = reading(whole.without("source /etc/haproxy/haproxy.cfg").without("folder"))

    #expect(seen?.process == nil)
    #expect(seen?.sha256 == "0d1c")
  }

  @Test func `a file in a folder that was given with -f belongs to that process`() {
    let seen = reading(
      whole.without("source").replacingLine(
        "file",
        with: "file /etc/haproxy/conf.d/50-app.cfg"
      )
    )

    #expect(seen?.process?.configuration == "/etc/haproxy/conf.d/50-app.cfg")
    #expect(seen?.process?.masterPID == 200)
  }

  @Test(arguments: [
    ("stats-says Permission denied", "Permission denied"),
    ("stats-says", "no answer"),
    ("stats-missing", "there is no such socket"),
  ])
  func `a stats socket that does not take orders is not used`(line: String, problem: String) {
    let seen = reading(whole.without("stats-says ").replacingLine("stats-socket", with: line))

    #expect(seen?.statsSocketProblem == problem)
    #expect(seen?.process != nil)
    #expect(seen?.process?.statsSocket == nil)
  }

  @Test func `a master socket that does not answer is not used`() {
    let seen = reading(whole.without("master-says"))

    #expect(seen?.process?.masterSocket == nil)
    #expect(seen?.masterSocketProblem == "it does not answer `show proc`: ")
    #expect(seen?.oldWorkers == 0)
  }

  @Test(arguments: [
    // file changed, worker started, last written, unloaded
    (10.0, 20.0, nil, false), (20.0, 10.0, nil, true), (20.0, 10.0, "ours", false),
    (20.0, 10.0, "another", true), (10.0, 20.0, "another", false),
  ])
  func `a file that somebody else changed after the worker read it holds unloaded edits`(
    changed: Double,
    started: Double,
    written: String?,
    unloaded: Bool
  ) {
    var observation = BalancerObservation()
    observation.sha256 = "ours"
    observation.fileChanged = changed
    observation.workerStarted = started
    observation.lastWritten = written

    #expect(observation.unloadedEdits == unloaded)
  }

  private func reading(_ text: String) -> BalancerObservation? {
    BalancerSurvey.reading(
      CommandResult(termination: .exited(0), output: Array(text.utf8))
    )
  }
}

extension String {
  /// Without the lines that begin so.
  fileprivate func without(_ beginning: String) -> String {
    split(separator: "\n").filter { !$0.hasPrefix(beginning) }.joined(separator: "\n") + "\n"
  }

  /// With another line in the place of those that begin with `key` and a blank.
  fileprivate func replacingLine(_ key: String, with line: String) -> String {
    split(separator: "\n").map { $0.hasPrefix(key + " ") ? line[...] : $0 }
      .joined(separator: "\n") + "\n"
  }
}
