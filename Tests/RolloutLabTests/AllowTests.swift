import Testing

extension RolloutTests {
  @Test func `a proxy that does not take the balancer's connections gets no traffic`() async throws
  {
    try await PracticeFleet.with(apps: 2) { fleet in
      let backend = "      backend: app\n"
      let shut = try fleet.inventory(
        replacing: backend,
        with: backend + "      allow: [10.81.0.250, \"fd00::/8\"]\n"
      )
      let open = try fleet.inventory(
        replacing: backend,
        with: backend + "      allow: 10.81.0.10\n      shadow-proxy-protocol: strip\n"
      )
      let before = try fleet.configuration()
      try fleet.underLoad {
        let refused = try fleet.rollout("enable", inventory: shut)

        #expect(refused.status == 1, "\(refused.text)\(refused.errors)")
        #expect(refused.errors.contains("warning: app1: allow of route web"), "\(refused.errors)")
        #expect(
          refused.errors.contains("no connection, or none that stays open, to 10.81.0."),
          "\(refused.errors)"
        )
        #expect(try fleet.configuration() == before)

        let enabled = try fleet.rollout("enable", inventory: open)

        #expect(enabled.status == 0, "\(enabled.text)\(enabled.errors)")
        #expect(!enabled.errors.contains("warning"), "\(enabled.errors)")
        let flags = try fleet.on("app2", "cat /opt/duplex-proxy/duplex-proxy.conf")
        #expect(flags.contains("--allow 10.81.0.10\n--shadow-proxy-protocol strip\n"))
      }
    }
  }
}
