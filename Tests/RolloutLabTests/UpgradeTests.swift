import Foundation
import Testing

extension RolloutTests {
  /// The supervisor's side of it is in ProxyServerTests; here are monit, the runner and duplexctl.
  @Test func `a proxy is upgraded under load, and monit sees one process throughout`() async throws
  {
    try await PracticeFleet.with(user: "deploy") { fleet in
      let seen = "monit -B status duplex-proxy | awk '$1 == \"pid\" { print $2 }'"
      try fleet.underLoad {
        #expect(try fleet.rollout("enable").status == 0)
        let pid = try fleet.on("app1", "cat /run/duplex-proxy/duplex-proxy.pid")
        let before = try fleet.on("app1", "readlink /proc/\(pid.dropLast())/exe")
        try fleet.writeOtherProxy()

        let upgrade = try fleet.duplexctl(["proxy", "upgrade", "app1", "--yes"])

        #expect(upgrade.status == 0, "\(upgrade.errors)")
        #expect(try fleet.on("app1", "cat /run/duplex-proxy/duplex-proxy.pid") == pid)
        #expect(try fleet.on("app1", "readlink /proc/\(pid.dropLast())/exe") != before)
        #expect(try fleet.on("app1", seen) == pid)
        let again = try fleet.duplexctl(["proxy", "upgrade", "app1", "--yes"])
        #expect(again.status == 0 && again.text.hasPrefix("Nothing to do"), "\(again.text)")

        try fleet.writeBrokenProxy()
        let broken = try fleet.duplexctl(["proxy", "upgrade", "app1", "--yes"])

        #expect(broken.status == 1, "\(broken.text)\(broken.errors)")
        #expect(try fleet.on("app1", "cat /run/duplex-proxy/duplex-proxy.pid") == pid)
        #expect(try fleet.on("app1", seen) == pid)
        #expect(try fleet.duplexctl(["rollout", "status"]).status == 0)
      }
    }
  }
}

extension PracticeFleet {
  /// The shipped proxy with another digest, beside the inventory: where duplexctl looks first.
  fileprivate func writeOtherProxy() throws {
    try (shippedProxy() + Data("another".utf8)).write(to: URL(filePath: "\(folder)/duplex-proxy"))
  }

  /// The shipped proxy, cut off in the middle.
  fileprivate func writeBrokenProxy() throws {
    let shipped = try shippedProxy()
    try shipped.prefix(shipped.count / 2).write(to: URL(filePath: "\(folder)/duplex-proxy"))
  }

  private func shippedProxy() throws -> Data {
    let root = URL(filePath: #filePath)
      .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    return try Data(contentsOf: root.appending(path: ".build-static/release/duplex-proxy"))
  }
}
