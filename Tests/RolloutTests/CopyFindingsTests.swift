import Fleet
import Rollout
import Testing

@Suite struct CopyFindingsTests {
  @Test(
    arguments: [
      ("10.9.0.2", 8000, ["lb1"]),
      ("10.9.0.6", 80, ["app2"]), ("10.9.0.6", 8080, ["app2"]),
      ("10.9.0.6", 81, []), ("10.9.0.50", 80, []),
      ("127.0.0.1", 80, ["app1"]), ("127.0.0.1", 81, []),
    ] as [(String, Int, [MachineName])]
  )
  func `a shadow that is a machine of production is warned of`(
    address: String,
    port: Int,
    machines: [MachineName]
  ) {
    var world = World.direct
    let shadow = Endpoint.tcp(host: address, port: port)
    world.hosts[0].routes[0].shadows = [shadow]

    #expect(
      world.warnings(.enabled)
        == machines.map { Finding("app1", .warning, .shadowIsProduction("web", shadow, $0)) }
    )
  }

  @Test(arguments: [
    (Wish.enabled, true), (.reloaded, true), (.upgraded, true), (.disabled, false),
  ])
  func `a sample of what HAProxy connects is warned of`(wish: Wish, isWarned: Bool) throws {
    var world = World.proxied
    let sample = try #require(Copying.Sample(written: "10%"))
    world.hosts[0].routes[0].copying.sample = sample

    #expect(
      world.warnings(wish)
        == (isWarned ? [Finding("app1", .warning, .sampleOfBalancer("web", sample))] : [])
    )
  }
}

extension World {
  fileprivate func warnings(_ wish: Wish) -> [Finding] {
    guard case .plan(_, _, let warnings) = answer(wish, of: ["app1"]) else {
      Issue.record("\(answer(wish, of: ["app1"]))")
      return []
    }
    return warnings
  }
}
