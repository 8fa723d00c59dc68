import Fleet
import Remote
import TestSupport
import Testing
import Workspace

/// The rendered runner and monit's file, used for real: with a program that only waits.
@Suite(.serialized) struct RunnerTests {
  @Test func `the runner starts, shows, restarts and stops the proxy`() async throws {
    let host = try await RunnerHost()

    let unstarted = try await host.runner("status")
    let started = try await host.runner("start")
    let first = try await host.pid()
    let again = try await host.runner("start")
    let shown = try await host.runner("status")
    let restarted = try await host.runner("restart")
    let second = try await host.pid()
    let stopped = try await host.runner("stop")
    let stoppedAgain = try await host.runner("stop")

    #expect(unstarted == "3 duplex-proxy does not run\n")
    #expect(started == "0 duplex-proxy started, pid \(first)\n")
    #expect(again == "0 duplex-proxy runs already, pid \(first)\n")
    #expect(shown == "0 duplex-proxy runs, pid \(first)\n")
    #expect(restarted == "0 duplex-proxy stopped\nduplex-proxy started, pid \(second)\n")
    #expect(first != second)
    #expect(stopped == "0 duplex-proxy stopped\n")
    #expect(stoppedAgain == "0 duplex-proxy does not run\n")
    #expect(try await host.run("ls run") == "")
  }

  @Test
  func `the proxy runs unprivileged, alone in its session, with no descriptor of its starter`()
    async throws
  {
    let host = try await RunnerHost()
    _ = try await host.runner("start 9<runner.lock")
    let pid = try await host.pid()

    let process = try await host.run("ps -o user=,group=,sid=,tty= -p \(pid)")
    let descriptors = try await host.run(
      "for n in 0 1 2; do readlink /proc/\(pid)/fd/$n; done; grep NoNewPrivs /proc/\(pid)/status"
    )
    _ = try await host.runner("stop")

    #expect(process.split(separator: " ") == ["nobody", "nogroup", "\(pid)", "?\n"])
    #expect(
      descriptors == """
        /dev/null
        \(host.folder.path)/log
        \(host.folder.path)/log
        NoNewPrivs:\t1

        """
    )
  }

  @Test func `a proxy that ends at once is a failed start, with what it said`() async throws {
    let host = try await RunnerHost(program: "echo no port for me; exit 1")

    let started = try await host.runner("start 2>&1")
    let status = try await host.runner("status")

    #expect(
      started == """
        1 duplex-proxy did not stay up; the last lines of \(host.folder.path)/log:
        no port for me

        """
    )
    #expect(status == "3 duplex-proxy does not run\n")
  }

  @Test func `a proxy that died is told from one that was stopped, and can be started`()
    async throws
  {
    let host = try await RunnerHost()
    _ = try await host.runner("start")
    _ = try await host.run("kill -KILL \(host.pid())")

    let dead = try await host.runner("status")
    let started = try await host.runner("start")
    _ = try await host.runner("stop")

    #expect(dead == "1 duplex-proxy is dead and left \(host.folder.path)/run/duplex-proxy.pid\n")
    #expect(started.hasPrefix("0 duplex-proxy started, pid "))
  }

  @Test func `a pid that was given to another process is left alone`() async throws {
    let host = try await RunnerHost()
    let other = try await host.run("mkdir run; sleep 60 </dev/null >/dev/null 2>&1 & printf %s $!")
    _ = try await host.run("echo \(other) >run/duplex-proxy.pid")

    let status = try await host.runner("status")
    let stopped = try await host.runner("stop")
    let survivor = try await host.run("kill -0 \(other) && kill -KILL \(other) && echo alive")

    #expect(status.hasPrefix("1 duplex-proxy is dead"))
    #expect(stopped == "0 duplex-proxy does not run\n")
    #expect(survivor == "alive\n")
  }

  @Test func `a proxy that does not end when asked is killed`() async throws {
    let host = try await RunnerHost(program: "trap '' TERM; while :; do sleep 0.1; done", drain: 0)
    _ = try await host.runner("start")
    let pid = try await host.pid()

    let stopped = try await host.runner("stop 2>&1")

    #expect(
      stopped == """
        0 duplex-proxy, pid \(pid), did not end within 5 s: killed
        duplex-proxy stopped

        """
    )
  }

  /// Answers what the runner asks, and takes on what it is told to, unless the file `refusing` is there.
  private static let changeable = """
    if [ "$1" = ask ]; then
      cat counters
      exit
    fi
    echo 'duplex_upgrades_total 4' >counters
    change() {
      [ ! -e refusing ] || { echo 'upgrade to x refused, its trial ended with status 1'; return; }
      echo 'duplex_upgrades_total 5' >counters
    }
    trap change USR2
    cd "${0%/*}"
    while :; do sleep 0.02; done
    """

  @Test func `an upgrade is waited for, and the process stays the same`() async throws {
    let host = try await RunnerHost(program: "cd \"${0%/*}\"\n" + Self.changeable)
    // The stand-in runs unprivileged.
    _ = try await host.run("touch counters; chmod 666 counters")
    _ = try await host.runner("start")
    let pid = try await host.pid()
    _ = try await host.run("touch duplex-proxy.conf")

    let upgraded = try await host.runner("upgrade")
    let isFresh = try await host.run("[ run/duplex-proxy.pid -nt duplex-proxy.conf ] && echo yes")
    let stillThere = try await host.pid()
    _ = try await host.run("touch refusing")
    let refused = try await host.runner("upgrade 2>&1")
    let unknown = try await host.runner("reload 2>&1")
    _ = try await host.runner("stop")
    let stopped = try await host.runner("upgrade 2>&1")

    #expect(upgraded == "0 duplex-proxy goes on, pid \(pid)\n")
    #expect(isFresh == "yes\n")
    #expect(stillThere == pid)
    #expect(refused == "1 upgrade to x refused, its trial ended with status 1\n")
    #expect(
      unknown.hasPrefix("1 the duplex-proxy that runs, pid \(pid), goes on as it was: by ")
        && unknown.contains(" ask it did not say its duplex_reloads_total\n"),
      "\(unknown)"
    )
    #expect(stopped == "1 duplex-proxy does not run\n")
  }

  @Test func `wrong usage is told`() async throws {
    let host = try await RunnerHost()

    let said = try await host.runner("begin 2>&1")

    #expect(said == "64 usage: ./duplex-proxy-runner start|stop|restart|status|reload|upgrade\n")
  }

  @Test func `the runner is a shell script by the shell's own judgement`() async throws {
    let host = try await RunnerHost()

    #expect(try await host.run("sh -n duplex-proxy-runner 2>&1; echo $?") == "0\n")
  }

  @Test func `monit takes its file, and starts and stops the proxy by it`() async throws {
    let host = try await RunnerHost()
    try await host.writeMonitControlFile()
    let monit = "monit -c \(host.folder.path)/monitrc"

    _ = try await host.run("\(monit) -t")
    let check = try await host.run("\(monit) -t 2>&1; echo $?")
    _ = try await host.run("\(monit)")
    let started = try await host.until("\(monit) start duplex-proxy", "duplex-proxy-runner status")
    let summary = try await host.until("\(monit) -B status duplex-proxy | grep -q pid", "true")
    let stopped = try await host.until(
      "\(monit) stop duplex-proxy",
      "! duplex-proxy-runner status"
    )
    let ended = try await host.until(
      "kill -KILL $(cat monit.pid)",
      "! kill -0 $(cat monit.pid)"
    )

    #expect(check == "Control file syntax OK\n0\n")
    #expect(started)
    #expect(summary)
    #expect(stopped)
    #expect(ended)
  }
}

/// A folder that stands for a host: the rendered files in it, and a program in place of the proxy.
struct RunnerHost {
  let folder: TemporaryFolder
  private let machine = LocalHost()

  /// - Parameter program: what the stand-in does, in shell.
  init(program: String = "while :; do sleep 0.1; done", drain: Int = 10) async throws {
    folder = try TemporaryFolder()
    var host = Sample.host(
      proxy: ProxySettings(
        directory: folder.path,
        monitDirectory: folder.path + "/conf.d",
        runDirectory: folder.path + "/run"
      )
    )
    host.timeouts.drain = .seconds(drain)
    for file in try HostTemplates.load(from: RepositoryFile.path("templates")).files(for: host) {
      try folder.write(file.contents, to: String(file.path.dropFirst(folder.path.count + 1)))
    }
    try folder.write(
      "#!/bin/sh\n\(program)\n",
      to: "duplex-proxy"
    )
    try folder.write("", to: "runner.lock")
    _ = try await run("chmod 755 . duplex-proxy duplex-proxy-runner")
  }

  /// The exit status and what it said.
  func runner(_ arguments: String) async throws -> String {
    try await run("said=$(./duplex-proxy-runner \(arguments)); echo \"$? $said\"")
  }

  func pid() async throws -> Int {
    let text = try await run("cat run/duplex-proxy.pid")
    return try #require(text.split(separator: "\n").first.flatMap { Int($0) })
  }

  @discardableResult
  func run(_ script: String) async throws -> String {
    // What the script leaves running must not hold what Foundation waits for; only bash can close
    // descriptors above 9.
    let script = """
      for descriptor in /proc/$$/fd/*; do
        descriptor=${descriptor##*/}
        [ "$descriptor" -le 2 ] || eval "exec $descriptor>&-"
      done
      cd \(folder.path)
      export PATH="$PWD:$PATH" DUPLEX_PROXY_LOG=$PWD/log
      \(script)
      """
    let result = try await machine.run(
      RemoteCommand("exec bash -c \(ShellWord.quoting(script))", timeout: .seconds(30))
    )
    return result.text
  }

  /// Says the first again and again until the second is so, for ten seconds at most.
  func until(_ order: String, _ condition: String) async throws -> Bool {
    try await run(
      """
      for i in $(seq 100); do
        \(order) >/dev/null 2>&1
        \(condition) >/dev/null 2>&1 && echo yes && break
        sleep 0.1
      done
      """
    ) == "yes\n"
  }

  func writeMonitControlFile() async throws {
    let path = folder.path
    try folder.write(
      """
      set daemon 1
      set pidfile \(path)/monit.pid
      set idfile \(path)/id
      set statefile \(path)/state
      set log \(path)/monit.log
      set httpd unixsocket \(path)/socket
        allow tester:tested
      include \(path)/conf.d/*

      """,
      to: "monitrc"
    )
    try await run("chmod 600 monitrc")
  }
}
