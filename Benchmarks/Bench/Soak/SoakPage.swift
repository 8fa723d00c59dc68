import Foundation

/// The report of a soak as a page of tables.
enum SoakPage {
  static func text(of report: SoakReport) -> String {
    ([heading(of: report), verdicts(of: report), felt(of: report)]
      + report.scenarios.map(section(of:)))
      .joined(separator: "\n\n") + "\n"
  }

  /// The last slice in one line, for whoever watches.
  static func line(of report: SoakReport) -> String {
    guard let scenario = report.scenarios.last else { return "" }
    let name = scenario.shadow.rawValue
    if let problem = scenario.problem { return "\(name): \(problem)" }
    guard let slice = scenario.slices.last else { return name }
    let failed = slice.failures.values.reduce(0, +)
    return """
      \(name), round \(slice.round), \(slice.proxy.rawValue): \
      \(Number.grouped(slice.requests)) requests, \(failed) failed, p50 \(Number.short(slice.p50)) µs, \
      p99 \(Number.short(slice.p99)) µs, peak \(megabytes(slice.peakBytes)) MB
      """
  }

  private static func heading(of report: SoakReport) -> String {
    let machine = report.machine
    return """
      # What clients notice of a bad shadow

      Measured by `make soak` from \(report.began) on one machine without network, everything over loopback:
      \(machine.processors) × \(machine.processor), \(Number.grouped(machine.memoryMegabytes)) MB, \
      \(machine.kernel); \(machine.programs.joined(separator: "; ")), engine \(report.engine), one thread.

      \(Number.grouped(Int(report.rate))) requests/s, \(Number.short(report.seconds)) s of load for each bad \
      shadow in slices of \(Number.short(report.sliceSeconds)) s, which alternate with slices of a proxy \
      without a shadow. `../README.md` says how, and what the verdicts mean.
      """
  }

  private static func verdicts(of report: SoakReport) -> String {
    let rows = report.scenarios.flatMap { scenario in
      judged.map { proxy in
        let verdict = scenario.verdict(of: proxy)
        return [
          scenario.shadow.rawValue, proxy.rawValue, "\(verdict.failures)",
          Number.short(verdict.ratio), verdict.noise.map { Number.fixed($0, digits: 2) } ?? "–",
          verdict.latency.rawValue, megabytes(verdict.peakBytes), megabytes(verdict.boundBytes),
          verdict.isInBound ? "yes" : "**no**",
          proxy == .breakerOn ? "" : verdict.isShown ? "yes" : "**no**",
        ]
      }
    }
    return "## Verdicts\n\n"
      + Markdown.table(
        [
          "shadow", "proxy", "failed", "p99 to no shadow", "noise", "latency", "peak RSS, MB",
          "bound, MB", "in bound", "as named",
        ],
        rows
      )
  }

  /// Part by part, for whoever wants to know who felt it.
  private static func felt(of report: SoakReport) -> String {
    let parts = SoakLoad.standard.parts.map(\.name)
    let rows = report.scenarios.flatMap { scenario in
      judged.map { proxy in
        [scenario.shadow.rawValue, proxy.rawValue]
          + parts.map { part in
            Number.short(scenario.ratio(of: proxy) { $0.p99OfParts[part] })
          }
          + [
            Number.short(scenario.ratio(of: proxy) { $0.p50 }),
            Number.short(scenario.ratio(of: proxy) { $0.p999 }),
          ]
      }
    }
    return "## Ratios to no shadow\n\n"
      + Markdown.table(
        ["shadow", "proxy"] + parts.map { "p99, \($0)" } + ["p50, all", "p99.9, all"],
        rows
      )
  }

  private static func section(of scenario: SoakScenario) -> String {
    let latencies = SoakProxy.allCases.map { proxy in
      let slices = scenario.slices(of: proxy)
      return [
        proxy.rawValue, Number.grouped(slices.reduce(0) { $0 + $1.requests }),
        list(scenario.failures(of: proxy), none: "0"),
        Number.short(Spread(slices.map(\.p50))), Number.short(Spread(slices.map(\.p99))),
        Number.short(Spread(slices.map(\.p999))), megabytes(scenario.peakBytes(of: proxy)),
      ]
    }
    let counts = judged.map { proxy in
      let counters = scenario.counters[proxy.rawValue] ?? ShadowCounters()
      let slices = scenario.slices(of: proxy)
      return [
        proxy.rawValue, Number.grouped(counters.copies), list(counters.drops, none: "–"),
        list(counters.skips, none: "–"), "\(counters.breakerOpenings)",
        Number.grouped(slices.map(\.mostCopying).max() ?? 0),
        megabytes(slices.map(\.mostQueuedBytes).max() ?? 0), megabytes(counters.answerBytes),
        "\(counters.workerRestarts)",
      ]
    }
    return [
      "## \(scenario.shadow.rawValue)",
      scenario.problem.map { "**Ended early: \($0)**" },
      Markdown.table(
        ["proxy", "requests", "failed", "p50, µs", "p99, µs", "p99.9, µs", "peak RSS, MB"],
        latencies
      ),
      Markdown.table(
        [
          "proxy", "copies begun", "dropped", "not begun", "breaker opened", "most open at a time",
          "most queued, MB", "answers thrown away, MB", "workers died",
        ],
        counts
      ),
    ].compactMap { $0 }.joined(separator: "\n\n")
  }

  private static let judged = [SoakProxy.breakerOff, .breakerOn]

  private static func list(_ counts: [String: Int], none: String) -> String {
    let entries = counts.filter { $0.value > 0 }.sorted { $0.key < $1.key }
    return entries.isEmpty
      ? none : entries.map { "\(Number.grouped($0.value)) \($0.key)" }.joined(separator: ", ")
  }

  private static func megabytes(_ bytes: Int) -> String {
    Number.fixed(Double(bytes) / 1_048_576, digits: 1)
  }
}

extension SoakReport {
  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }
}
