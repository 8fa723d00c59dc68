/// The report as a page of tables.
enum Markdown {
  static func text(of report: Report) -> String {
    ([heading(of: report), goals(of: report)] + Load.catalogue.compactMap { table(of: $0, report) }
      + [refusals(of: report), surroundings(of: report)].compactMap { $0 })
      .joined(separator: "\n\n") + "\n"
  }

  private static func heading(of report: Report) -> String {
    let machine = report.machine
    return """
      # What duplex-proxy costs

      Measured by `make bench` at \(report.rounds.first?.time ?? "an unknown time") on one machine without \
      network, everything over loopback:
      \(machine.processors) × \(machine.processor), \(Number.grouped(machine.memoryMegabytes)) MB, \
      \(machine.kernel); \(machine.programs.joined(separator: "; ")).

      Every number is the median of \(max(0, report.rounds.count - 1)) rounds of \
      \(Number.short(report.seconds)) s (least–most). Every candidate has one thread. CPU is the \
      kernel's account of the candidate's processes. `../README.md` says how it is measured.

      ![chart](latest.svg)\(warning(about: report))
      """
  }

  private static func warning(about report: Report) -> String {
    report.wasQuiet
      ? ""
      : "\n\n**The machine was not quiet** (see the last table): measure again before you believe this."
  }

  private static func goals(of report: Report) -> String {
    let rows = Goal.all.map { goal in
      func ratio(of candidate: Candidate) -> Spread? {
        report.ratio(goal.metric, of: candidate, to: goal.other, under: goal.load)
      }
      let reached = ratio(of: goal.candidate)
      let verdict = reached.map { goal.limit.isMet(by: $0.median) ? "yes" : "no" } ?? "not measured"
      let epoll = goal.other == .duplexEpoll ? nil : ratio(of: .duplexEpoll)
      return [
        goal.measure, "\(goal.limit)", Number.short(reached), verdict, Number.short(epoll),
      ]
    }
    return "## Ratios of duplex-proxy (io_uring) to others, and of its default engine, epoll\n\n"
      + table(["measure", "target", "io_uring", "reached", "epoll"], rows)
  }

  private static func table(of load: Load, _ report: Report) -> String? {
    let measured = load.candidates.filter { candidate in
      report.samples.contains { $0.load == load.name && $0.candidate == candidate }
    }
    guard !measured.isEmpty else { return nil }
    let metrics = Metric.telling(of: load.kind)
    let rows = measured.map { candidate in
      [candidate.title]
        + metrics.map { Number.short(report.spread($0, of: candidate, under: load.name)) }
        + [share(of: candidate, under: load, report)]
    }
    return "## \(load.title)\n\n\(remark(on: load, report))"
      + table(["candidate"] + metrics.map(\.rawValue) + ["copied"], rows)
  }

  private static func remark(on load: Load, _ report: Report) -> String {
    let rate = report.samples.first { $0.load == load.name }?.rate
    guard let rate else { return "" }
    let missing = load.candidates.filter { candidate in
      !report.samples.contains { $0.load == load.name && $0.candidate == candidate }
    }
    let others =
      missing.isEmpty
      ? ""
      : " Without those that this would load by more than four fifths: "
        + missing.map(\.title).joined(separator: "; ") + "."
    return
      "\(Number.grouped(Int(rate))) requests/s for all: half of what the slower of duplex-proxy "
      + "io_uring and haproxy tcp can do.\(others)\n\n"
  }

  private static func share(of candidate: Candidate, under load: Load, _ report: Report) -> String {
    let samples = report.samples.filter {
      $0.load == load.name && $0.candidate == candidate && $0.refusal == nil
    }
    guard candidate.isDuplicating, !samples.isEmpty else { return "–" }
    let requests = samples.reduce(0) { $0 + $1.requests }
    let copies = samples.reduce(0) { $0 + $1.shadowRequests }
    return "\(Number.fixed(100 * Double(copies) / Double(requests), digits: 2)) %"
  }

  private static func refusals(of report: Report) -> String? {
    let lines = report.samples.filter { $0.refusal != nil }.map { "- " + $0.line }
    return lines.isEmpty
      ? nil : "## Refused, and in no number above\n\n" + lines.joined(separator: "\n")
  }

  private static func surroundings(of report: Report) -> String {
    let rows = report.rounds.indices.dropLast().map { index in
      let (before, after) = (report.rounds[index], report.rounds[index + 1])
      return [
        "\(index + 1)", before.time, Number.short(before.loadAverage),
        "\(after.stolenTicks - before.stolenTicks)",
        report.disturbance(in: index + 1).map { "\(Number.fixed(100 * $0, digits: 1)) %" } ?? "–",
      ]
    }
    return "## The machine meanwhile\n\n"
      + table(
        [
          "round", "began", "load average before it", "ticks stolen from the machine",
          "candidates waited for their own processor",
        ],
        rows
      )
  }

  static func table(_ heading: [String], _ rows: [[String]]) -> String {
    let rule = heading.indices.map { $0 == 0 ? "---" : "---:" }
    return ([heading, rule] + rows).map { "| " + $0.joined(separator: " | ") + " |" }
      .joined(separator: "\n")
  }
}

extension Sample {
  /// It in one line, for whoever watches.
  var line: String {
    let facts = [
      requestsPerSecond.map { "\(Number.short($0)) requests/s" },
      cpuMicrosecondsPerRequest.map { "\(Number.short($0)) µs CPU/request" },
      p50Microseconds.map { "p50 \(Number.short($0)) µs" },
      p99Microseconds.map { "p99 \(Number.short($0)) µs" },
      residentBytesPerConnection.map { "\(Number.short($0)) bytes/connection" },
      refusal.map { "REFUSED: \($0)" },
    ]
    return "\(load) \(candidate.rawValue): " + facts.compactMap { $0 }.joined(separator: ", ")
  }
}
