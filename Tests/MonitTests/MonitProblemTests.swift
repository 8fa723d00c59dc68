import Monit
import Testing

struct MonitProblemTests {
  private let path = "/etc/monit/conf.d/duplex-proxy"
  private let ready = MonitObservation(
    version: "5.33.0",
    daemon: 7,
    includes: ["/etc/monit/conf.d/*", "/etc/monit/conf-enabled/*"],
    interface: .answers
  )

  @Test func `a monit that can be told to run the service has no problem`() {
    #expect(ready.problems(placing: path) == [])
  }

  @Test func `without monit nothing else is a problem`() {
    #expect(MonitObservation(version: nil).problems(placing: path) == [.notInstalled])
  }

  @Test func `all problems are named at once`() {
    var observation = ready
    observation.configurationError = "monitrc:3: syntax error"
    observation.daemon = nil
    observation.interface = .notAsked
    observation.includes = ["/etc/monit.d/*"]

    #expect(
      observation.problems(placing: path) == [
        .configurationInvalid(said: "monitrc:3: syntax error"), .daemonNotRunning,
        .notIncluded(path: path, includes: ["/etc/monit.d/*"]),
      ]
    )
  }

  @Test func `a monit that cannot be asked is told apart by its cause`() {
    var observation = ready
    observation.interface = .off
    #expect(observation.problems(placing: path) == [.interfaceOff])

    observation.interface = .unreachable("refused")
    #expect(observation.problems(placing: path) == [.interfaceUnreachable(said: "refused")])

    observation.configurationError = "refused"
    #expect(observation.problems(placing: path) == [.configurationInvalid(said: "refused")])
  }

  @Test(
    arguments: [
      ("/etc/monit/conf.d/*", "/etc/monit/conf.d/proxy", true),
      ("/etc/monit/conf.d/*.cfg", "/etc/monit/conf.d/proxy", false),
      ("/etc/monit/conf.d/*.cfg", "/etc/monit/conf.d/a.b.cfg", true),
      ("/etc/monit/conf.d/*", "/etc/monit/conf.d/deeper/proxy", false),
      ("/etc/monit/*/*", "/etc/monit/conf.d/proxy", true),
      ("/etc/monit/conf.d/prox?", "/etc/monit/conf.d/proxy", true),
      ("/etc/monit/conf.d/prox?", "/etc/monit/conf.d/prox", false),
      ("/etc/monit/conf.d/proxy", "/etc/monit/conf.d/proxy", true),
      ("/etc/monit/conf.d/*", "/etc/monit/conf.d/.proxy.new", false),
      ("/etc/monit/conf.d/*", "/etc/monit/conf.d/proxy~", false),
      ("", "/etc/monit/conf.d/proxy", false),
    ])
  func `monit reads what a pattern of its includes matches`(
    pattern: String,
    file: String,
    isRead: Bool
  ) {
    let observation = MonitObservation(version: "5.33.0", includes: [pattern])

    #expect(observation.includesFile(file) == isRead)
  }
}
