import Fleet
import Remote
import Rollout
import TestSupport
import Testing

struct HostSurveyTests {
  @Test func `a host with everything is read as a whole`() {
    var expected = HostObservation()
    expected.architecture = "x86_64"
    expected.isRoot = true
    expected.hasUser = true
    expected.hasGroup = true
    expected.digests = [
      "/opt/duplex-proxy/a file": "aa11", "/etc/monit/conf.d/duplex-proxy": "bb22",
    ]
    expected.link = "duplex-proxy-aa11"
    expected.process = .init(pid: 4711, executable: "/opt/duplex-proxy/duplex-proxy-aa11")
    expected.process?.configurationIsNewer = true
    expected.process?.isHealthy = true
    expected.process?.version = "1.0"
    expected.listeners = [
      .init(address: "10.9.0.5", port: 81, program: "duplex-proxy", pid: 4712),
      .init(address: "[::1]", port: 80),
    ]
    expected.listeners[0].otherPids = [4711]
    expected.sockets = ["/run/app.sock"]
    expected.process?.copies = ShadowCopies(
      shadows: 3,
      connections: 12,
      bytes: 3456,
      drops: 7,
      skips: 8,
      unsampled: 9,
      isOff: true,
      openBreakers: 2
    )
    expected.deafShadows = ["10.9.0.9:80", "[fd00::9]:80"]

    let observation = reading(
      """
      architecture x86_64
      uid 0
      user
      group
      file aa11 /opt/duplex-proxy/a file
      file bb22 /etc/monit/conf.d/duplex-proxy
      link duplex-proxy-aa11
      process 4711 /opt/duplex-proxy/duplex-proxy-aa11
      stale
      health 0
      version duplex-proxy 1.0
      listener LISTEN 0 511 10.9.0.5:81 0.0.0.0:* users:(("duplex-proxy",pid=4712,fd=5),("duplex-proxy",pid=4711,fd=6))
      listener LISTEN 0 511 [::1]:80 [::]:*
      socket /run/app.sock
      copies 3 12 3456 7 8 9 1 2
      deaf 10.9.0.9:80
      deaf [fd00::9]:80
      end

      """
    )

    #expect(observation == expected)
    #expect(expected.listeners.map { $0.isHeld(by: 4711) } == [true, false])
    #expect(expected.listeners.map { $0.isHeld(by: nil) } == [false, false])
  }

  @Test func `a bare host is read as one that has nothing`() {
    var expected = HostObservation()
    expected.architecture = "aarch64"
    expected.missingTools = ["ss", "sha256sum"]

    #expect(
      reading("architecture aarch64\nuid 1000\nmissing ss\nmissing sha256sum\nend\n") == expected
    )
  }

  @Test(arguments: [
    "", "architecture x86_64\nuid 0\n", "sudo: a password is required\n", "ending\n",
  ])
  func `an answer that stops early is no reading`(text: String) {
    #expect(reading(text) == nil)
  }

  @Test(arguments: ["1", "127", ""])
  func `a proxy that does not answer its health check is not healthy`(status: String) {
    let observation = reading("process 5 /x\nhealth \(status)\nend\n")

    #expect(observation?.process == .init(pid: 5, executable: "/x"))
  }

  @Test func `the script reads this machine and changes nothing on it`() async throws {
    let folder = try TemporaryFolder()
    let missing = folder.path(of: "nothing-here")
    let host = Host(
      name: "app1",
      ssh: SSHAddress(address: "127.0.0.1", user: "root"),
      routes: [
        Route(
          name: "web",
          listenAddress: "127.0.0.1",
          listenPort: 1,
          primary: .unix(path: folder.path(of: "none.sock")),
          shadows: [.tcp(host: "127.0.0.1", port: 4)],
          backend: "app",
          server: "app1",
          directPort: 2
        )
      ],
      proxy: ProxySettings(
        directory: missing,
        adminPort: 3,
        monitDirectory: missing,
        runDirectory: missing
      )
    )

    let result = try await LocalHost().run(HostSurvey.command(for: host, executable: "abc"))

    let observation = try #require(HostSurvey.reading(result))
    #expect(!observation.architecture.isEmpty)
    #expect(observation.hasUser && observation.hasGroup)
    #expect(observation.digests == [:])
    #expect(observation.link == nil)
    #expect(observation.process == nil)
    #expect(observation.listeners == [])
    #expect(observation.sockets == [])
    #expect(observation.deafShadows == ["127.0.0.1:4"])
  }

  private func reading(_ text: String) -> HostObservation? {
    HostSurvey.reading(CommandResult(termination: .exited(0), output: Array(text.utf8)))
  }
}
