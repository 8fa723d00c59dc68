import Testing

@testable import Bench

struct SoakTests {
  private func slice(
    _ proxy: SoakProxy,
    _ round: Int,
    p99: Double,
    peak: Int = 10 << 20
  ) -> SoakSlice {
    SoakSlice(proxy: proxy, round: round, requests: 100, p99: p99, peakBytes: peak)
  }

  /// Refused, as it should be, with these p99 in three rounds.
  private func scenario(base: [Double], bad: [Double]) -> SoakScenario {
    var scenario = SoakScenario(shadow: .refused)
    for (index, p99) in base.enumerated() {
      scenario.slices.append(slice(.noShadow, index + 1, p99: p99))
    }
    for (index, p99) in bad.enumerated() {
      scenario.slices.append(slice(.breakerOff, index + 1, p99: p99))
      scenario.slices.append(slice(.breakerOn, index + 1, p99: p99))
    }
    scenario.counters["breaker off"] = ShadowCounters(drops: ["connect_failed": 7])
    return scenario
  }

  @Test func `a ratio no greater than the spread without a shadow is within noise`() {
    let verdict = scenario(base: [100, 110, 120], bad: [100, 110, 132]).verdict(of: .breakerOff)

    #expect(verdict.latency == .withinNoise)
    #expect(verdict.ratio == Spread(median: 1, least: 1, most: 1.1))
    #expect(verdict.noise.map { abs($0 - 120 / 110) < 1e-9 } == true)
    #expect(verdict.isKept)
  }

  @Test func `a greater ratio was felt, and is no reason to fail`() {
    let verdict = scenario(base: [100, 110, 120], bad: [120, 132, 144]).verdict(of: .breakerOff)

    #expect(verdict.latency == .felt)
    #expect(verdict.isKept)
  }

  @Test func `slices that differ by more than half, or fewer than three, cannot tell`() {
    let noisy = scenario(base: [100, 100, 151], bad: [500, 500, 500])
    let short = scenario(base: [100, 100], bad: [100, 100])

    #expect(noisy.verdict(of: .breakerOff).latency == .cannotTell)
    #expect(short.verdict(of: .breakerOff).latency == .cannotTell)
    #expect(SoakScenario(shadow: .slow).verdict(of: .breakerOff).latency == .cannotTell)
  }

  @Test func `one failed request is one too many, with or without a shadow`() {
    let good = scenario(base: [1, 1, 1], bad: [1, 1, 1])
    #expect(good.isKept)

    for index in good.slices.indices {
      var failed = good
      failed.slices[index].failures = ["reset": 1]
      #expect(!failed.isKept)
    }
  }

  @Test func `memory is bounded by the total, what it is without a shadow, and what copies take`() {
    let slab = 2 << 20
    #expect(SoakBound.bytes(base: 10 << 20, copying: 1000) == (42 << 20) + 1000 * (18 << 10) + slab)

    var scenario = scenario(base: [1, 1, 1], bad: [1, 1, 1])
    scenario.slices.append(slice(.breakerOff, 4, p99: 1, peak: (42 << 20) + slab))
    #expect(scenario.isKept)
    scenario.slices.append(slice(.breakerOff, 5, p99: 1, peak: (42 << 20) + slab + 1))
    #expect(!scenario.verdict(of: .breakerOff).isInBound)
    #expect(!scenario.isKept)
  }

  @Test func `a shadow that was not as bad as its name proves nothing`() {
    var scenario = scenario(base: [1, 1, 1], bad: [1, 1, 1])
    scenario.counters["breaker off"] = ShadowCounters(drops: ["reset": 7])

    #expect(!scenario.isKept)
  }

  @Test func `each bad shadow is known by what the proxy counts`() {
    let drops = { (reasons: [String]) in
      ShadowCounters(drops: Dictionary(uniqueKeysWithValues: reasons.map { ($0, 1) }))
    }

    #expect(BadShadow.blackholed.isShown(by: drops(["connect_timeout"])))
    #expect(!BadShadow.blackholed.isShown(by: drops(["connect_failed"])))
    #expect(BadShadow.sound.isShown(by: ShadowCounters(copies: 1)))
    #expect(!BadShadow.sound.isShown(by: ShadowCounters(copies: 2, drops: ["closed_early": 1])))
    #expect(BadShadow.stuck.isShown(by: drops(["budget"])))
    #expect(BadShadow.slow.isShown(by: drops(["lagging"])))
    #expect(!BadShadow.flapping.isShown(by: drops(["connect_failed"])))
    #expect(BadShadow.flapping.isShown(by: drops(["connect_failed", "reset"])))
    #expect(BadShadow.endless.isShown(by: ShadowCounters(copies: 10, answerBytes: 1001)))
    #expect(!BadShadow.endless.isShown(by: ShadowCounters(copies: 10, answerBytes: 1000)))
    for shadow in BadShadow.allCases { #expect(!shadow.isShown(by: ShadowCounters())) }
  }

  @Test func `metrics of both routes are summed, and reasons without a count left out`() {
    let counters = ShadowCounters(
      metrics: """
        HTTP/1.1 200 OK

        # HELP duplex_shadow_drops_total Copies given up. 5
        duplex_shadow_connections_total{route="127.0.0.1:1",shadow="127.0.0.1:3"} 20
        duplex_shadow_connections_total{route="127.0.0.1:2",shadow="127.0.0.1:3"} 1
        duplex_shadow_drops_total{route="127.0.0.1:1",shadow="127.0.0.1:3",reason="reset"} 3
        duplex_shadow_drops_total{route="127.0.0.1:2",shadow="127.0.0.1:3",reason="reset"} 4
        duplex_shadow_drops_total{route="127.0.0.1:2",shadow="127.0.0.1:3",reason="budget"} 0
        duplex_shadow_skipped_total{route="127.0.0.1:1",shadow="127.0.0.1:3",reason="breaker"} 9
        duplex_shadow_breaker_opened_total{route="127.0.0.1:1",shadow="127.0.0.1:3"} 2
        duplex_shadow_queue_bytes 77
        """
    )

    #expect(
      counters
        == ShadowCounters(
          copies: 21,
          queuedBytes: 77,
          drops: ["reset": 7],
          skips: ["breaker": 9],
          breakerOpenings: 2
        )
    )
  }

  @Test func `a mixture can do as much as its parts leave each other time`() {
    let load = SoakLoad.standard

    #expect(abs(load.parts.reduce(0) { $0 + $1.share } - 1) < 1e-9)
    #expect(abs(load.capacity(alone: [8000, 1500, 500]) - 1 / 0.0003) < 1e-6)
    #expect(load.capacity(alone: [0, 1, 1]) == 0)
  }

  @Test func `turns last half a minute, and there are three of each at least`() {
    func settings(_ seconds: Double) -> Soak.Settings {
      Soak.Settings(
        proxy: "",
        engine: "",
        seconds: seconds,
        shadows: [],
        folder: "",
        ownProgram: ""
      )
    }

    #expect(settings(300).rounds == 5)
    #expect(settings(300).sliceSeconds == 30)
    #expect(settings(20).rounds == 3)
    #expect(abs(settings(20).sliceSeconds - 10 / 3) < 1e-9)
  }

  @Test func `a cut-off run has a page of what it has`() {
    var report = SoakReport(
      machine: Machine(
        processor: "a processor",
        processors: 2,
        memoryMegabytes: 1,
        kernel: "Linux",
        programs: []
      ),
      engine: "epoll",
      began: "today",
      seconds: 300,
      sliceSeconds: 10
    )
    #expect(SoakPage.text(of: report).contains("## Verdicts"))

    report.scenarios = [SoakScenario(shadow: .stuck, problem: "interrupted")]

    #expect(SoakPage.text(of: report).contains("**Ended early: interrupted**"))
    #expect(SoakPage.line(of: report) == "stuck: interrupted")
  }
}
