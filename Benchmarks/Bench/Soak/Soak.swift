import CLinux
import Foundation

/// Puts load on three proxies that run side by side before the same primaries: one without a shadow, and two
/// with the same bad one, without and with a breaker. They take turns, so that what disturbs the machine
/// disturbs them alike, and each round begins with another of them.
struct Soak {
  let settings: Settings
  private let origins: Origins

  struct Settings: Sendable {
    /// The duplex-proxy under test.
    var proxy: String
    var engine: String
    /// Of load that each bad shadow gets: half of it without, half of it with a breaker.
    var seconds: Double
    var shadows: [BadShadow]
    /// Requests a second; nil for an eighth of what the proxy can do.
    var rate: Double?
    var folder: String
    /// This executable, which has the servers in it.
    var ownProgram: String

    /// How often each proxy has its turn: three times at least, and for half a minute each time if there is
    /// time for that. In short turns most of what is seen is how a bad shadow begins.
    var rounds: Int { max(3, Int((seconds / 2 / 30).rounded())) }
    var sliceSeconds: Double { seconds / 2 / Double(rounds) }
    /// About how long all takes.
    var totalSeconds: Double {
      // Copies of half of the bad shadows linger, after two slices of a round.
      Double(shadows.count) * (seconds * 1.5 + Double(rounds) * Soak.lingerSeconds) + 10
    }
  }

  private struct Running {
    var kind: SoakProxy
    var program: Program
    var ports: [LoopbackPort]
    var admin: LoopbackPort
  }

  /// For so long duplex-proxy lets a copy outlive its client.
  private static let lingerSeconds = 5.0

  private enum Seen: Sendable {
    case tally(Tally)
    case peaks(copying: Int, queued: Int)
  }

  init(_ settings: Settings) throws {
    self.settings = settings
    origins = try Origins(
      in: settings.folder,
      ownProgram: settings.ownProgram,
      on: Seating.apart.others
    )
    clinux_wake_punctually()
    clinux_pin(0, Seating.apart.others.mask)
  }

  /// Does all scenarios; `tell` hears the report after each slice.
  func run(_ report: inout SoakReport, tell: (SoakReport) throws -> Void) throws {
    report.rate = try settings.rate ?? eighthOfCapacity().rounded()
    for shadow in settings.shadows {
      report.scenarios.append(SoakScenario(shadow: shadow))
      let index = report.scenarios.count - 1
      do {
        try run(&report, index, tell)
      } catch BenchError.interrupted {
        report.scenarios[index].problem = "interrupted"
        try tell(report)
        throw BenchError.interrupted
      } catch let error as BenchError {
        report.scenarios[index].problem = error.description
        try tell(report)
      }
    }
  }

  private func run(
    _ report: inout SoakReport,
    _ index: Int,
    _ tell: (SoakReport) throws -> Void
  ) throws {
    let shadow = try LoopbackPort.free(1)[0]
    let server = try start(report.scenarios[index].shadow, on: shadow)
    defer { server.end() }
    let proxies = try SoakProxy.allCases.map { try start($0, shadow: shadow) }
    defer { for proxy in proxies { proxy.program.end() } }
    for round in 1...settings.rounds {
      for proxy in proxies.rotated(by: round - 1) {
        for other in proxies { try awaitNoCopies(of: other) }
        let slice = try slice(of: proxy, in: round, at: report.rate)
        report.scenarios[index].slices.append(slice)
        report.scenarios[index].counters[proxy.kind.rawValue] = try counters(of: proxy.admin)
        try tell(report)
      }
      if server.hasEndedByItself {
        throw BenchError.ended(name: server.name, output: server.output)
      }
    }
  }
}

// MARK: Programs

extension Soak {
  private func start(_ shadow: BadShadow, on port: LoopbackPort) throws -> Program {
    let program = try Program(
      "bad shadow, \(shadow.rawValue)",
      [settings.ownProgram, "bad-shadow", shadow.rawValue, "\(port.number)"],
      log: "\(settings.folder)/shadow.log",
      on: Seating.apart.others
    )
    let deadline = clinux_monotonic_nanoseconds() + 5_000_000_000
    while !program.output.contains(BadShadowCommand.ready) {
      if program.hasEndedByItself {
        throw BenchError.ended(name: program.name, output: program.output)
      }
      if clinux_monotonic_nanoseconds() > deadline {
        throw BenchError.neverReady(name: program.name, output: program.output)
      }
      usleep(5000)
    }
    return program
  }

  private func start(_ kind: SoakProxy, shadow: LoopbackPort) throws -> Running {
    let ports = try LoopbackPort.free(3)
    let shadows = kind == .noShadow ? [] : ["--duplicate", "\(shadow)"]
    let breaker =
      kind == .noShadow ? [] : ["--breaker", kind == .breakerOn ? "on" : "off"]
    let primaries = [origins.answering.primary, origins.reading.primary]
    let routes = zip(ports, primaries).flatMap { port, primary in
      ["--listen", "\(port)", "--relay", "\(primary)"] + shadows + breaker
    }
    let program = try Program(
      "duplex-proxy, \(kind.rawValue)",
      [settings.proxy] + routes + [
        "--admin", "\(ports[2])", "--engine", settings.engine, "--threads", "1",
        "--shadow-buffer", "\(SoakBound.perConnection)",
        "--shadow-buffer-total", "\(SoakBound.total)",
      ],
      log: "\(settings.folder)/\(kind.rawValue).log",
      on: Seating.apart.proxy
    )
    for port in ports { try program.expectListening(on: port) }
    return Running(kind: kind, program: program, ports: Array(ports[..<2]), admin: ports[2])
  }

  private func eighthOfCapacity() throws -> Double {
    let proxy = try start(.noShadow, shadow: LoopbackPort(0))
    defer { proxy.program.end() }
    let load = SoakLoad.standard
    return load.capacity(alone: try load.parts.map { try $0.capacity(to: proxy.ports) }) / 8
  }
}

// MARK: Slices

extension Soak {
  private func slice(of proxy: Running, in round: Int, at rate: Double) throws -> SoakSlice {
    let (ports, admin, seconds) = (proxy.ports, proxy.admin, settings.sliceSeconds)
    let parts = SoakLoad.standard.parts
    var tasks: [@Sendable () throws -> Seen] = parts.map { part in
      { .tally(try part.run(at: rate, seconds: seconds, to: ports)) }
    }
    tasks.append { try Self.watch(admin, seconds: seconds) }
    let seen = try Together.run(tasks)
    if proxy.program.hasEndedByItself {
      throw BenchError.ended(name: proxy.program.name, output: proxy.program.output)
    }
    var slice = SoakSlice(proxy: proxy.kind, round: round)
    var all = Tally()
    for (index, seen) in seen.enumerated() {
      switch seen {
      case .peaks(let copying, let queued):
        (slice.mostCopying, slice.mostQueuedBytes) = (copying, queued)
      case .tally(let tally):
        all.latency.add(tally.latency)
        all.answered += tally.answered
        all.failures.merge(tally.failures, uniquingKeysWith: +)
        slice.p99OfParts[parts[index].name] = tally.microseconds(percentile: 99)
      }
    }
    slice.requests = all.answered
    for (failure, count) in all.failures { slice.failures[failure.rawValue] = count }
    slice.p50 = all.microseconds(percentile: 50)
    slice.p99 = all.microseconds(percentile: 99)
    slice.p999 = all.microseconds(percentile: 99.9)
    slice.peakBytes = try proxy.program.peakResidentBytes()
    return slice
  }

  /// Looks once a second, and at the end of the time.
  private static func watch(_ admin: LoopbackPort, seconds: Double) throws -> Seen {
    let end = clinux_monotonic_nanoseconds() + UInt64(seconds * 1e9)
    var (copying, queued) = (0, 0)
    while true {
      let now = clinux_monotonic_nanoseconds()
      usleep(UInt32(min(1_000_000, end > now ? (end - now) / 1000 : 0)))
      let counters = try counters(of: admin)
      copying = max(copying, counters.copyingNow)
      queued = max(queued, counters.queuedBytes)
      if now >= end || clinux_stop_noted() != 0 {
        return .peaks(copying: copying, queued: queued)
      }
    }
  }

  private static func counters(of admin: LoopbackPort) throws -> ShadowCounters {
    ShadowCounters(metrics: try Question.ask(admin, for: "/metrics"))
  }

  /// Copies outlive their clients for a while, and cost what they cost in the slice that they belong to.
  private func awaitNoCopies(of proxy: Running) throws {
    let deadline = clinux_monotonic_nanoseconds() + UInt64(2 * Self.lingerSeconds * 1e9)
    while try counters(of: proxy.admin).copyingNow > 0 {
      if clinux_stop_noted() != 0 { throw BenchError.interrupted }
      guard clinux_monotonic_nanoseconds() < deadline else {
        throw BenchError.origin("\(proxy.program.name): its copies do not end")
      }
      usleep(50_000)
    }
  }

  private func counters(of admin: LoopbackPort) throws -> ShadowCounters {
    try Self.counters(of: admin)
  }
}
