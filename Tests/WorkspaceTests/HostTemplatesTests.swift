import Fleet
import Testing
import Workspace

struct HostTemplatesTests {
  private let templates: HostTemplates

  init() throws {
    templates = try HostTemplates.load(from: RepositoryFile.path("templates"))
  }

  @Test func `a host gets a configuration, a runner and a file for monit`() throws {
    let files = try templates.files(for: Sample.host())

    #expect(
      files.map { "\(String($0.mode, radix: 8)) \($0.path): \($0.description)" } == [
        "644 /opt/duplex-proxy/duplex-proxy.conf: the proxy's configuration",
        "755 /opt/duplex-proxy/duplex-proxy-runner: the proxy's runner",
        "644 /etc/monit/conf.d/duplex-proxy: monit's file for the proxy",
      ]
    )
  }

  @Test func `the configuration has the flags of every route`() throws {
    var host = Sample.host([
      Sample.route,
      Route(
        name: "api",
        listenAddress: "fd00::21",
        listenPort: 8090,
        primary: .unix(path: "/run/api.sock"),
        shadows: [.tcp(host: "fd00::5", port: 90), .tcp(host: "10.9.0.6", port: 90)],
        backend: "api",
        server: "one",
        directPort: 90
      ),
      Route(
        name: "bare",
        listenAddress: "0.0.0.0",
        listenPort: 8100,
        primary: .tcp(host: "::1", port: 82),
        shadows: [],
        backend: "app",
        server: "two",
        directPort: 82
      ),
    ])
    host.timeouts.drain = .milliseconds(9_100)

    let configuration = try contents(of: 0, for: host)

    #expect(
      configuration == """
        # duplex-proxy on app1: its flags, one a line. Rendered by duplexctl, which writes this file anew:
        # change the inventory or the template instead.
        --admin 127.0.0.1:8079
        --shadow-buffer 4194304
        --shadow-buffer-total 67108864
        --drain-timeout 10

        # web: fed by app/app1, which uses port 81 while the proxy is out.
        -l 8080
        --bind 10.77.0.21
        -r 127.0.0.1:81
        -d 10.9.0.5:80

        # api: fed by api/one, which uses port 90 while the proxy is out.
        -l 8090
        --bind fd00::21
        -s /run/api.sock
        -d [fd00::5]:90,10.9.0.6:90

        # bare: fed by app/two, which uses port 82 while the proxy is out.
        -l 8100
        --bind 0.0.0.0
        -r [::1]:82

        """
    )
  }

  @Test func `what is copied is written only where it is not what the proxy does by itself`()
    throws
  {
    var (all, half) = (Sample.route, Sample.route)
    all.copying = Copying(
      sample: .init(written: "0.5%"),
      amplify: 3,
      rate: 200,
      breaker: .off
    )
    half.copying = Copying(amplify: 2)
    half.allow = ["10.9.0.0/24", "fd00::5"].compactMap(AddressRange.init(written:))
    half.shadowProxyProtocol = .strip

    let configuration = try contents(of: 0, for: Sample.host([all, half, Sample.route]))

    #expect(
      configuration.split(separator: "\n").filter { "-d " == $0.prefix(3) || "--" == $0.prefix(2) }
        .dropFirst(4).filter { !$0.hasPrefix("--bind") } == [
          "-d 10.9.0.5:80", "--sample 0.5%", "--amplify 3", "--shadow-rate 200", "--breaker off",
          "-d 10.9.0.5:80", "--allow 10.9.0.0/24,fd00::5", "--shadow-proxy-protocol strip",
          "--amplify 2", "-d 10.9.0.5:80",
        ]
    )
  }

  @Test func `a template that would leave out what is copied is refused`() throws {
    var (route, old) = (Sample.route, templates)
    old.configuration = Template(file: "old.mustache", text: "-l 80\n{{! copying }}\n")
    #expect(throws: Never.self) { try old.files(for: Sample.host()) }
    route.copying = Copying(sample: .init(written: "10%"))

    let problems = #expect(throws: TemplateProblems.self) {
      try old.files(for: Sample.host([route]))
    }
    var guarded = Sample.route
    guarded.allow = ["10.9.0.10"].compactMap(AddressRange.init(written:))
    #expect(throws: TemplateProblems.self) { try old.files(for: Sample.host([guarded])) }

    #expect(
      problems?.problems
        == [TemplateProblem(file: "old.mustache", line: 1, code: .leavesOutCopying)]
    )
  }

  @Test func `monit's file starts the runner as root and asks the admin endpoint`() throws {
    let proxy = ProxySettings(
      directory: "/srv/duplex",
      user: "www-data",
      adminPort: 9000,
      service: "mirror",
      serviceGroup: "web",
      runDirectory: "/run/mirror"
    )

    let monit = try contents(of: 2, for: Sample.host(proxy: proxy))

    #expect(
      monit == """
        # duplex-proxy on app1. Rendered by duplexctl, which writes this file anew: change the template
        # instead.
        check process mirror with pidfile /run/mirror/duplex-proxy.pid
          group web
          # The runner starts the proxy as www-data; root makes the run directory, which a reboot empties.
          start program = "/srv/duplex/duplex-proxy-runner start"
            as uid root and gid root with timeout 45 seconds
          stop program = "/srv/duplex/duplex-proxy-runner stop"
            as uid root and gid root with timeout 75 seconds
          if failed uid www-data then alert
          # A proxy that answers nothing is started anew. One that answers, but whose primary is down, is
          # not: that would not help, and end the connections that are open.
          if failed host 127.0.0.1 port 9000 protocol http request "/version" status = 200
            with timeout 5 seconds for 2 cycles then restart
          if failed host 127.0.0.1 port 9000 protocol http request "/health" status = 200
            with timeout 5 seconds for 2 cycles then alert
          if 3 restarts within 5 cycles then unmonitor
          # After a reboot the proxy runs again if it ran before.
          onreboot laststate

        """
    )
  }

  @Test(arguments: [
    (8080, "setpriv --reuid=nobody --regid=nogroup --init-groups --no-new-privs \\\n      \"$@\""),
    (
      443,
      "setpriv --reuid=nobody --regid=nogroup --init-groups --no-new-privs \\\n"
        + "      --inh-caps=+net_bind_service --ambient-caps=+net_bind_service \\\n      \"$@\""
    ),
  ])
  func `only a proxy with a port below 1024 may keep the right to bind one`(
    port: Int,
    command: String
  ) throws {
    var route = Sample.route
    route.listenPort = port

    let runner = try contents(of: 1, for: Sample.host([route]))

    #expect(runner.contains(command))
  }

  @Test func `a value that means more to a shell than itself is refused`() throws {
    let proxy = ProxySettings(directory: "/opt/$(reboot)")

    let problems = #expect(throws: TemplateProblems.self) {
      try templates.files(for: Sample.host(proxy: proxy))
    }

    let code = TemplateProblem.Code.unsafeValue(variable: "directory", value: "/opt/$(reboot)")
    #expect(problems?.problems.map(\.code) == [code])
  }

  private func contents(of index: Int, for host: Host) throws -> String {
    String(decoding: try templates.files(for: host)[index].contents, as: UTF8.self)
  }
}
