import Foundation
import Testing

extension RolloutTests {
  @Test func `a configuration is reloaded under load, and one that is refused is put back`()
    async throws
  {
    try await PracticeFleet.with(user: "deploy") { fleet in
      try fleet.underLoad {
        #expect(try fleet.rollout("enable").status == 0)
        let process = try fleet.process()
        let limited = try fleet.inventory(
          replacing: "      backend: app\n",
          with: "      backend: app\n      rate: 100000\n"
        )
        let before = try fleet.everything()

        let dry = try fleet.duplexctl(["proxy", "reload", "--dry-run"], inventory: limited)
        #expect(dry.status == 0 && dry.text.contains("runner reload"), "\(dry.text)")
        #expect(try fleet.everything() == before)

        let reload = try fleet.duplexctl(
          ["proxy", "reload", "app1", "--yes", "--output", "json"],
          inventory: limited
        )

        #expect(reload.status == 0, "\(reload.errors)")
        #expect(reload.text.contains("\"wish\" : \"reloaded\""), "\(reload.text)")
        #expect(try fleet.configuration(of: "app1").contains("--shadow-rate 100000"))
        #expect(try !fleet.configuration(of: "app2").contains("--shadow-rate"))
        #expect(try fleet.process() == process)
        #expect(try fleet.reloads() == 1)
        #expect(try fleet.newestJournal().contains { $0.description.contains("reloadProxy") })
        let again = try fleet.duplexctl(["proxy", "reload", "app1", "--yes"], inventory: limited)
        #expect(again.status == 0 && again.text.hasPrefix("Nothing to do"), "\(again.text)")

        // It is understood, but the port is sshd's.
        try fleet.writeTemplate(adding: "-l 22\n--bind {{address}}\n-r 127.0.0.1:81\n")
        let refused = try fleet.duplexctl(["proxy", "reload", "app1", "--yes"], inventory: limited)
        try fleet.removeTemplate()

        #expect(refused.status == 1, "\(refused.text)\(refused.errors)")
        #expect(refused.errors.contains("could not listen on"), "\(refused.errors)")
        #expect(try fleet.process() == process)
        #expect(try fleet.reloads() == 1)
        let after = try fleet.duplexctl(["proxy", "reload", "app1", "--yes"], inventory: limited)
        #expect(after.status == 0 && after.text.hasPrefix("Nothing to do"), "\(after.text)")
        #expect(try fleet.duplexctl(["rollout", "status"]).status == 0)

        // HAProxy's requests would be turned away.
        let backend = "      backend: app\n"
        for (part, other, reason) in [
          ("listen: 8080", "listen: 8090", "app/app1, line"),
          (backend, backend + "      allow: 10.81.0.250\n", "allow of route web"),
        ] {
          let shut = try fleet.inventory(replacing: part, with: other)
          let reload = try fleet.duplexctl(["proxy", "reload", "--yes"], inventory: shut)
          #expect(reload.status == 1, "\(reload.text)\(reload.errors)")
          #expect(reload.errors.contains(reason), "\(reload.errors)")
        }
        #expect(try fleet.process() == process)
      }

      // It is taken on, and does not become healthy: the proxy reads what was put back.
      let dead = try fleet.inventory(
        replacing: "      primary: 127.0.0.1:81\n",
        with: "      primary: 10.81.0.5:9\n      direct-port: 81\n"
      )
      let text = try String(contentsOfFile: dead, encoding: .utf8)
      try text.replacing("defaults:\n", with: "defaults:\n  timeouts: {health: 1s}\n")
        .write(toFile: dead, atomically: true, encoding: .utf8)

      let ill = try fleet.duplexctl(["proxy", "reload", "app2", "--yes"], inventory: dead)

      #expect(ill.status == 1, "\(ill.text)\(ill.errors)")
      #expect(try fleet.configuration(of: "app2").contains("-r 127.0.0.1:81"))
      #expect(
        try fleet.on("app2", "\(PracticeFleet.proxy) ask /health --admin 127.0.0.1:8079") != ""
      )
      try await fleet.expectAgreement()
    }
  }
}

extension PracticeFleet {
  fileprivate static let proxy = "/opt/duplex-proxy/duplex-proxy"

  /// What runs on app1, as the pid file, the kernel and monit have it.
  fileprivate func process() throws -> [String] {
    let pid = try on("app1", "cat /run/duplex-proxy/duplex-proxy.pid")
    return try [
      pid, on("app1", "readlink /proc/\(pid.dropLast())/exe"),
      on("app1", "monit -B status duplex-proxy | awk '$1 == \"pid\" { print $2 }'"),
    ]
  }

  /// HAProxy may have taken the server for dead while its primary was, and finds it alive at its next check.
  fileprivate func expectAgreement(within seconds: Int = 10) async throws {
    let deadline = ContinuousClock.now + .seconds(seconds)
    var status = try duplexctl(["rollout", "status"])
    while status.status != 0, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(100))
      status = try duplexctl(["rollout", "status"])
    }
    #expect(status.status == 0, "\(status.text)\(status.errors)")
  }

  fileprivate func reloads() throws -> Int? {
    let metrics = try on("app1", "\(Self.proxy) ask /metrics --admin 127.0.0.1:8079")
    let line = metrics.split(separator: "\n").first { $0.hasPrefix("duplex_reloads_total ") }
    return line.flatMap { Int($0.split(separator: " ")[1]) }
  }

  fileprivate func configuration(of host: String) throws -> String {
    try on(host, "cat /opt/duplex-proxy/duplex-proxy.conf")
  }

  /// Templates of the inventory's own, which go first.
  fileprivate func writeTemplate(adding flags: String) throws {
    let root = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    let templates = URL(filePath: "\(folder)/templates")
    try FileManager.default.copyItem(at: root.appending(path: "templates"), to: templates)
    let configuration = templates.appending(path: "duplex-proxy.conf.mustache")
    try (String(contentsOf: configuration, encoding: .utf8) + flags)
      .write(to: configuration, atomically: true, encoding: .utf8)
  }

  fileprivate func removeTemplate() throws {
    try FileManager.default.removeItem(atPath: "\(folder)/templates")
  }
}
