import Fleet
import Testing
import Workspace

struct InventoryProblemTests {
  @Test func `a backend that no balancer has is told although the route is wrong elsewhere`() {
    let problems = Sample.problems(
      """
      defaults:
        ssh: {user: root}
        routes:
          web: {listen: 70000, primary: 127.0.0.1:81, shadow: "10.9.0.5:80", backend: apps}
      balancers:
        lb1: {address: 10.0.0.9, backends: [app], aply: auto}
      hosts:
        app1: {address: 10.0.0.21}
        app2: {address: 10.0.0.22}
      """
    )

    #expect(problems.count == 3, "\(problems)")
    #expect(problems.first?.contains("4:19: defaults.routes.web.listen") == true, "\(problems)")
    #expect(problems.dropFirst().first?.contains("no balancer has a backend apps") == true)
    #expect(problems.last?.contains("unknown key; did you mean `apply`?") == true)
  }

  @Test func `all that is wrong is said at once, in the order of the file`() {
    let problems = Sample.problems(
      """
      defaults:
        ssh: {user: root, prot: 22, agent: maybe}
        timeouts: {drain: 5 minutes}
        batch: 0
        routes:
          web: {listen: 70000, primary: 127.0.0.1, shadow: "10.9.0.5:80", backend: app}
      balancers:
        lb1: {address: "not a name", backends: [app], apply: sometimes, config: haproxy.cfg}
      host:
        app1: {}
      hosts:
        app1: [10.0.0.21]
        app2:
          adress: 10.0.0.22
          ssh: {key: nowhere}
      """
    )

    #expect(
      problems == [
        "fleet.yml:2:21: defaults.ssh.prot: unknown key; did you mean `port`?",
        "fleet.yml:2:38: defaults.ssh.agent: found `maybe`, expected `true` or `false`",
        "fleet.yml:3:21: defaults.timeouts.drain: found `5 minutes`, expected a time above 0 and "
          + "up to a day, such as `30s`, `500ms`, `2m` or plain seconds",
        "fleet.yml:4:10: defaults.batch: found `0`, expected a number of hosts, such as `2`, or a "
          + "share of them, such as `25%`",
        "fleet.yml:6:19: defaults.routes.web.listen: found `70000`, expected a port of 1 to 65535, "
          + "or an IP address and port such as `10.0.0.21:8080`",
        "fleet.yml:6:35: defaults.routes.web.primary: found `127.0.0.1`, expected an address and "
          + "port, such as `127.0.0.1:81` or `[::1]:81`, or `unix:/path`",
        "fleet.yml:8:18: balancers.lb1.address: found `not a name`, expected an IP address or a "
          + "host name",
        "fleet.yml:8:56: balancers.lb1.apply: found `sometimes`, expected `auto`, `runtime` or "
          + "`reload`",
        "fleet.yml:8:75: balancers.lb1.config: found `haproxy.cfg`, expected an absolute path",
        "fleet.yml:9:1: host: unknown key; did you mean `hosts`?",
        "fleet.yml:12:9: hosts.app1: found a list, expected a mapping",
        "fleet.yml:14:5: hosts.app2.adress: unknown key; did you mean `address`?",
        "fleet.yml:15:16: hosts.app2.ssh.key: there is no file /keys/nowhere on this machine",
      ]
    )
  }

  /// Changes to a fleet with nothing wrong in it: what is written instead of what, and what is
  /// said then.
  @Test(arguments: [
    (
      "backend: app}", "backend: apps}",
      [
        "5:82: defaults.routes.web.backend: no balancer has a backend apps; the balancers have `app`"
      ]
    ),
    (
      "listen: 8080", "listen: 81",
      [
        "5:19: defaults.routes.web.listen: port 81 is also the direct port: HAProxy could not tell the proxy from the primary"
      ]
    ),
    (
      "listen: 8080", "listen: 8079",
      ["5:19: defaults.routes.web.listen: port 8079 is also the proxy's admin-port"]
    ),
    (
      "listen: 8080", "listen: \"app:8080\"",
      [
        "5:19: defaults.routes.web.listen: the address of the host, app, is a name, and a proxy listens on an IP address: write listen: ADDRESS:PORT in the route of that host"
      ]
    ),
    (
      "listen: 8080", "listen: \"unix:/run/x\"",
      ["5:19: defaults.routes.web.listen: a route listens on a TCP port, not on a unix socket"]
    ),
    (
      "listen: 8080, ", "",
      [
        "5:10: defaults.routes.web.listen: missing; expected a port of 1 to 65535, or an IP address and port such as `10.0.0.21:8080`"
      ]
    ),
    (
      "127.0.0.1:81", "127.0.0.1:8079",
      ["5:34: defaults.routes.web.primary: port 8079 is the proxy's own admin-port"]
    ),
    (
      "127.0.0.1:81", "10.0.0.21:8080",
      [
        "5:19: defaults.routes.web.listen: port 8080 is also the direct port: HAProxy could not tell the proxy from the primary",
        "5:34: defaults.routes.web.primary: 10.0.0.21:8080 is where this route itself listens: a loop",
      ]
    ),
    (
      "127.0.0.1:81", "unix:/run/app.sock",
      [
        "5:10: defaults.routes.web.direct-port: missing; with a primary on a unix socket, HAProxy's port while the proxy is out has to be said"
      ]
    ),
    (
      "10.9.0.5:80", "127.0.0.1:81",
      [
        "5:58: defaults.routes.web.shadow: 127.0.0.1:81 is the primary: it would get everything twice"
      ]
    ),
    (
      "10.9.0.5:80", "10.0.0.21:8080",
      [
        "5:58: defaults.routes.web.shadow: 10.0.0.21:8080 is where this route itself listens: a loop"
      ]
    ),
    (
      "10.9.0.5:80", "elsewhere:80",
      [
        "5:58: defaults.routes.web.shadow: the name elsewhere has no address here; the proxy needs one: write an IP address or fix the name"
      ]
    ),
    (
      "shadow: \"10.9.0.5:80\"", "shadows: [\"staging:80\", \"10.9.0.5:80\"]",
      ["5:74: defaults.routes.web.shadows[1]: 10.9.0.5:80 is named twice"]
    ),
    (
      "backend: app}", "backend: app, sample: 10, amplify: 0, rate: many, breaker: maybe}",
      [
        "5:95: defaults.routes.web.sample: found `10`, expected a share of the clients above 0 and up to 100%, such as `10%` or `0.5%`",
        "5:108: defaults.routes.web.amplify: found `0`, expected a number of copies, 1 to 100",
        "5:117: defaults.routes.web.rate: found `many`, expected connections a second, 1 to 1000000",
        "5:132: defaults.routes.web.breaker: found `maybe`, expected `on` or `off`",
      ]
    ),
    (
      "backend: app}", "backend: app, allow: [10.9.0.1/24, lb1], shadow-proxy-protocol: drop}",
      [
        "5:95: defaults.routes.web.allow[0]: found `10.9.0.1/24`, expected a range of addresses, of at most /32 or /128, without bits beyond it, such as `10.9.0.0/24` or `fd00::/8`, or one address",
        "5:108: defaults.routes.web.allow[1]: found `lb1`, expected a range of addresses, of at most /32 or /128, without bits beyond it, such as `10.9.0.0/24` or `fd00::/8`, or one address",
        "5:137: defaults.routes.web.shadow-proxy-protocol: found `drop`, expected `keep`, `strip` or `add`",
      ]
    ),
    (
      "backend: app}", "backend: app, allow: []}",
      [
        "5:94: defaults.routes.web.allow: found an empty list, expected a range of addresses, of at most /32 or /128, without bits beyond it, such as `10.9.0.0/24` or `fd00::/8`, or one address"
      ]
    ),
    (
      "backend: app}", "backend: app, sampel: 10%}",
      ["5:87: defaults.routes.web.sampel: unknown key; did you mean `sample`?"]
    ),
    (
      "shadow: \"10.9.0.5:80\", backend: app}",
      "backend: app, amplify: 100, shadows: [\((1...11).map { "10.9.0.5:\($0)" }.joined(separator: ", "))]}",
      [
        "5:73: defaults.routes.web.amplify: 1100 copies of each connection, to all shadows together; 1000 are the most"
      ]
    ),
    (
      "shadow: \"10.9.0.5:80\"", "shadow: \"10.9.0.5:80\", shadows: []",
      ["5:82: defaults.routes.web.shadows: write either `shadow` or `shadows`, not both"]
    ),
    ("app2:", "app1:", ["9:3: hosts.app1: written twice, first in line 8"]),
    ("app2:", "lb1:", ["9:3: hosts.lb1: a balancer has this name too, in line 7"]),
    (
      "app2:", "app 2:",
      ["9:3: hosts.app 2: found `app 2`, expected a name of letters, digits, `.`, `_` and `-`"]
    ),
    (
      "10.0.0.22}", "10.0.0.22, server: app1}",
      [
        "9:38: hosts.app2.server: server app/app1 is already the one of app1's route web; each route of each host needs its own"
      ]
    ),
    (
      "10.0.0.22}", "10.0.0.22, routes: {web: false}}",
      [
        "9:38: hosts.app2.routes: the host has no route, so it is in no backend; write one here or in defaults"
      ]
    ),
    (
      "10.0.0.22}", "10.0.0.22, routes: {api: false}}",
      [
        "9:44: hosts.app2.routes.api: `false` leaves out a route of the defaults, which have none so named"
      ]
    ),
    (
      "10.0.0.22}",
      "10.0.0.22, routes: {api: {listen: 8080, primary: \"127.0.0.1:82\", shadow: \"10.9.0.5:80\", backend: app, server: b}}}",
      ["9:53: hosts.app2.routes.api.listen: port 8080 is already the one of route web of this host"]
    ),
    (
      "10.0.0.22}", "10.0.0.22, <<: {a: b}}",
      [
        "9:30: hosts.app2.<<: merge keys (<<) are not read; write what machines share under `defaults`"
      ]
    ),
    (
      "10.0.0.22}", "10.0.0.22, proxy: {directory: \"/opt/my proxy\"}}",
      [
        "9:49: hosts.app2.proxy.directory: found `/opt/my proxy`, expected an absolute path of letters, digits and `/._+@=,:-`"
      ]
    ),
    (
      "10.0.0.22}", "10.0.0.22, proxy: {shadow-buffer: 65m}}",
      [
        "9:53: hosts.app2.proxy.shadow-buffer: the total of 67108864 bytes is less than the 68157440 that one connection may use"
      ]
    ),
    (
      "[app]}", "[app], apply: runtime, stats-socket: ~}",
      ["7:53: balancers.lb1.apply: `apply: runtime` needs a stats-socket"]
    ),
    (
      ", backends: [app]}", "}",
      [
        "7:8: balancers.lb1.backends: missing; expected the backends of haproxy.cfg that the routes name"
      ]
    ),
    (
      "  lb1: {address: 10.0.0.10, backends: [app]}", "",
      ["6:11: balancers: names no machine; expected at least one"]
    ),
  ])
  func `each mistake is found where it was made`(
    right: String,
    wrong: String,
    problems: [String]
  ) throws {
    let text = Self.fleet.replacingFirst(right, with: wrong)

    #expect(Sample.problems(text) == problems.map { "fleet.yml:\($0)" })
  }

  private static let fleet = """
    # A fleet.
    defaults:
      timeouts: {drain: 10s}
      routes:
        web: {listen: 8080, primary: "127.0.0.1:81", shadow: "10.9.0.5:80", backend: app}
    balancers:
      lb1: {address: 10.0.0.10, backends: [app]}
    hosts: {app1: {address: 10.0.0.21},
      app2: {address: 10.0.0.22}}
    """

  @Test func `the fleet that the mistakes are made in has none`() {
    #expect(Sample.problems(Self.fleet) == [])
  }

  @Test(arguments: [
    ("hosts:\n  app1: [", "3:1: this is not YAML: did not find expected node content"),
    ("a: b: c", "1:5: this is not YAML: mapping values are not allowed in this context"),
    ("a: *b", "1:4: this is not YAML: found undefined alias"),
    ("a: 1\n---\nb: 2", "2:1: this is not YAML: but found another document"),
  ])
  func `what is not YAML is said with its place`(text: String, problem: String) {
    #expect(Sample.problems(text) == ["fleet.yml:\(problem)"])
  }

  @Test func `text that is not UTF-8 is said with its line`() {
    let bytes = Array("hosts:\n  app1: ".utf8) + [0xff, 0x0a]

    let problems = #expect(throws: InventoryProblems.self) {
      try YAMLDocument.parse(bytes, file: "fleet.yml")
    }

    #expect(problems?.description == "fleet.yml:2:1: the file is not UTF-8 text")
  }

  @Test(arguments: ["", "# nothing\n", "~"])
  func `an empty file names no machine`(text: String) {
    #expect(
      Sample.problems(text).map { $0.drop { $0 != " " } } == [
        " balancers: names no machine; expected at least one",
        " hosts: names no machine; expected at least one",
      ]
    )
  }

  @Test func `anchors work, and a key written twice hides nothing else that is wrong`() {
    let problems = Sample.problems(
      """
      defaults:
        routes:
          web: &web {listen: 8080, primary: "127.0.0.1:81", shadow: "10.9.0.5:80", backend: app}
      balancers:
        lb1: {address: 10.0.0.10, backends: [app], backends: [app], "config": /a, 'config': /b}
      hosts:
        app1: {address: 10.0.0.21, routes: {web: *web}, sever: app1}
        app1: {address: 10.0.0.22}
      """
    )

    #expect(
      problems == [
        "fleet.yml:5:46: balancers.lb1.backends: written twice, first in line 5",
        "fleet.yml:5:77: balancers.lb1.config: written twice, first in line 5",
        "fleet.yml:7:51: hosts.app1.sever: unknown key; did you mean `server`?",
        "fleet.yml:8:3: hosts.app1: written twice, first in line 7",
      ]
    )
  }
}

extension String {
  fileprivate func replacingFirst(_ part: String, with other: String) -> String {
    guard let range = firstRange(of: part) else { return "«\(part)» is not in the text" }
    return self[..<range.lowerBound] + other + self[range.upperBound...]
  }
}
