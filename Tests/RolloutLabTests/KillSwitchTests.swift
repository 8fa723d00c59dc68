import Foundation
import Testing

/// `duplexctl shadow` on running proxies. Of the same suite as the others, since there is one lab for all.
extension RolloutTests {
  @Test func `shadow off ends all copying at once, on begins it again, and no request fails`()
    async throws
  {
    try await PracticeFleet.with(user: "deploy") { fleet in
      let before = try fleet.duplexctl(["shadow", "off"])
      #expect(before.status == 0, "\(before.errors)")
      #expect(before.text.components(separatedBy: "not running").count == 4, "\(before.text)")

      try fleet.underLoad {
        let enable = try fleet.rollout("enable")
        #expect(enable.status == 0, "\(enable.errors)")
        try fleet.awaitMore(than: fleet.copied(), try fleet.copied())

        let off = try fleet.duplexctl(["shadow", "off"])
        let copied = try fleet.copied()
        let requests = try fleet.requestsAtShadow()
        try fleet.awaitMore(than: fleet.relayed() + 1_000_000, try fleet.relayed())

        #expect(off.status == 0, "\(off.errors)")
        #expect(try fleet.copied() == copied)
        #expect(try fleet.requestsAtShadow() == requests)
        let status = try fleet.duplexctl(["rollout", "status"])
        #expect(status.text.contains("Copying is switched OFF"), "\(status.text)")

        let one = try fleet.duplexctl(["shadow", "on", "--limit", "app1", "--output", "json"])
        let rows = try #require(
          try JSONSerialization.jsonObject(with: Data(one.text.utf8)) as? [[String: Any]]
        )
        #expect(rows.map { $0["host"] as? String } == ["app1"])
        #expect(rows.map { $0["copying"] as? String } == ["on"])
        let all = try fleet.duplexctl(["shadow", "status"])
        #expect(all.status == 0, "\(all.errors)")
        #expect(
          all.text.split(separator: "\n").dropFirst().map {
            $0.split(separator: " ").prefix(2).joined(separator: " ")
          } == ["app1 on", "app2 off", "app3 off"]
        )
        #expect(try fleet.duplexctl(["shadow", "on"]).status == 0)
        try fleet.awaitMore(than: copied, try fleet.copied())
        try fleet.awaitMore(than: requests, try fleet.requestsAtShadow())
      }
    }
  }
}

extension PracticeFleet {
  /// Connections that the proxies of all hosts have copied.
  fileprivate func copied() throws -> Int { try sum(of: "duplex_shadow_connections_total") }

  /// Bytes that they have relayed.
  fileprivate func relayed() throws -> Int { try sum(of: "duplex_bytes_total") }

  fileprivate func requestsAtShadow() throws -> Int {
    let lines = try on("shadow1", "wc -l </var/log/nginx/access.log")
    return try #require(Int(lines.filter { !$0.isWhitespace }))
  }

  /// Polls for up to half a minute.
  fileprivate func awaitMore(than least: Int, _ count: @autoclosure () throws -> Int) throws {
    let deadline = ContinuousClock.now + .seconds(30)
    var last = try count()
    while last <= least, ContinuousClock.now < deadline { last = try count() }
    #expect(last > least)
  }

  private func sum(of metric: String) throws -> Int {
    try ["app1", "app2", "app3"].reduce(0) { sum, host in
      let text = try on(
        host,
        "/opt/duplex-proxy/duplex-proxy ask /metrics --admin 127.0.0.1:8079 | "
          + "awk '/^\(metric)[{ ]/ { sum += $NF } END { printf \"%.0f\", sum }'"
      )
      return try sum + #require(Int(text))
    }
  }
}
