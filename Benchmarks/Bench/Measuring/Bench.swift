import CLinux
import Glibc

/// Measures all loads in rounds. Within a round the candidates of a load follow each other at once, so that
/// what disturbs the machine disturbs them alike, and each round begins with another of them.
struct Bench {
  let settings: Settings
  private let peers: Peers
  private let origins: Origins
  /// Rates and candidates of paced loads, once they are known.
  private var pacings: [String: Pacing] = [:]

  struct Settings: Sendable {
    var rounds: Int
    /// How long each measurement lasts; a fifth of it goes before, unmeasured.
    var seconds: Double
    var loads: [Load]
    var candidates: Set<Candidate>
  }

  private struct Pacing {
    var rate: Double
    var candidates: [Candidate]
  }

  init(_ settings: Settings, peers: Peers, ownProgram: String) throws {
    self.settings = settings
    self.peers = peers
    origins = try Origins(
      in: peers.folder,
      ownProgram: ownProgram,
      on: Seating.apart.others
    )
    clinux_wake_punctually()
  }

  /// Does all rounds. `tell` hears each sample as it comes, `note` what the machine was doing.
  mutating func run(
    note: (Surroundings, _ round: Int) -> Void,
    tell: (Sample) -> Void
  ) throws {
    for round in 1...settings.rounds {
      note(Surroundings.now(), round)
      for load in settings.loads {
        for candidate in try candidates(of: load, in: round) {
          tell(try measure(candidate, under: load, in: round))
        }
      }
    }
  }

  private mutating func candidates(of load: Load, in round: Int) throws -> [Candidate] {
    var chosen = load.candidates.filter(settings.candidates.contains)
    if load.kind == .paced { chosen = try pacing(of: load, among: chosen).candidates }
    return chosen.rotated(by: round - 1)
  }

  private func servers(of load: Load) -> Servers {
    switch load.origins {
    case .answering: origins.answering
    case .reading: origins.reading
    case .companions: origins.companions
    }
  }

  private func take(_ seating: Seating) throws {
    try origins.move(to: seating.others)
    clinux_pin(0, seating.others.mask)
  }
}

// MARK: Measurements

extension Bench {
  private func measure(
    _ candidate: Candidate,
    under load: Load,
    in round: Int
  ) throws -> Sample {
    var sample = Sample(load: load.name, candidate: candidate, round: round)
    try take(load.seating)
    let servers = servers(of: load)
    let running = try peers.start(candidate, before: servers, on: load.seating.proxy)
    defer { running.program?.end() }
    switch load.kind {
    case .unpaced: try measure(running, load, .unpaced(seconds: settings.seconds), &sample)
    case .paced:
      guard let rate = pacings[load.name]?.rate, rate > 0 else {
        sample.refusal = "there is nothing to take half of: it failed before"
        return sample
      }
      sample.rate = rate
      try measure(running, load, .rate(rate, seconds: settings.seconds), &sample)
    case .idle: try measureIdle(running, load, &sample)
    }
    if running.program?.hasEndedByItself ?? false { sample.refusal = "it ended by itself" }
    return sample
  }

  private func client(of load: Load, to port: LoopbackPort) throws -> LoadClient {
    try LoadClient(
      to: port,
      request: load.request.bytes(closing: load.opensAnew),
      connections: load.connections,
      opensAnew: load.opensAnew,
      companions: servers(of: load).companions
    )
  }

  private func measure(
    _ running: Peers.Running,
    _ load: Load,
    _ pace: LoadClient.Pace,
    _ sample: inout Sample
  ) throws {
    let servers = servers(of: load)
    var client = try client(of: load, to: running.port)
    let start = try servers.counts()
    let warm = try client.run(.unpaced(seconds: settings.seconds / 5))
    let isDuplicating = sample.candidate.isDuplicating
    let before = try servers.counts(
      since: start,
      expecting: isDuplicating ? warm.answered : 0
    )
    let beforeWait = running.program?.waitedNanoseconds()
    let beforeCPU = try running.program?.cpuNanoseconds()

    let tally = try client.run(pace)
    let after = try servers.counts(
      since: start,
      expecting: isDuplicating ? before.shadow + tally.answered : 0
    )
    let afterCPU = try running.program?.cpuNanoseconds()
    let afterWait = running.program?.waitedNanoseconds()

    sample.requests = tally.answered
    sample.seconds = tally.seconds
    sample.cpuNanoseconds = afterCPU.flatMap { after in beforeCPU.map { after - $0 } }
    sample.waitedNanoseconds = afterWait.flatMap { after in beforeWait.map { after - $0 } }
    sample.p50Microseconds = tally.microseconds(percentile: 50)
    sample.p99Microseconds = tally.microseconds(percentile: 99)
    sample.primaryRequests = after.primary - before.primary
    sample.shadowRequests = after.shadow - before.shadow
    // A connection that failed before is one that was not measured.
    sample.refuse(after: tally.failures.merging(warm.failures, uniquingKeysWith: +))
  }

  private func measureIdle(
    _ running: Peers.Running,
    _ load: Load,
    _ sample: inout Sample
  ) throws {
    guard let program = running.program else { return }
    let servers = servers(of: load)
    var client = try client(of: load, to: running.port)
    let start = try servers.counts()
    let before = try program.residentBytes()
    let tally = try client.run(.once)
    let counts = try servers.counts(
      since: start,
      expecting: sample.candidate.isDuplicating ? tally.answered : 0
    )
    let grown = try program.residentBytes() - before

    sample.requests = tally.answered
    sample.seconds = tally.seconds
    sample.residentBytesPerConnection = Double(grown) / Double(load.connections)
    sample.primaryRequests = counts.primary
    sample.shadowRequests = counts.shadow
    sample.refuse(after: tally.failures)
  }
}

// MARK: Rates

extension Bench {
  /// Half of what the slower of io_uring duplicating and haproxy tcp forwarding can do, so that both are
  /// compared at one rate; candidates that this would load by more than four fifths are left out.
  private mutating func pacing(of load: Load, among chosen: [Candidate]) throws -> Pacing {
    if let known = pacings[load.name] { return known }
    var capacities: [Candidate: Double] = [:]
    for candidate in chosen {
      let tries = try (0..<3).map { _ in try capacity(of: candidate, under: load) }
      capacities[candidate] = Spread(tries)?.median
    }
    let compared = [Candidate.duplexUring, .haproxyTCP].compactMap { capacities[$0] }
    let rate = ((compared.isEmpty ? Array(capacities.values) : compared).min() ?? 0) / 2
    let pacing = Pacing(
      rate: rate.rounded(),
      candidates: chosen.filter {
        // What has failed is kept: it will fail again, and be refused aloud.
        capacities[$0].map { $0 == 0 || $0 * 0.8 >= rate } ?? false
      }
    )
    pacings[load.name] = pacing
    return pacing
  }

  private func capacity(of candidate: Candidate, under load: Load) throws -> Double {
    var unpaced = load
    unpaced.kind = .unpaced
    let sample = try measure(candidate, under: unpaced, in: 0)
    return sample.refusal == nil ? sample.requestsPerSecond ?? 0 : 0
  }
}

extension Array {
  /// The same elements in the same order round, beginning with a later one.
  func rotated(by count: Int) -> [Element] {
    isEmpty ? [] : Array(self[(count % self.count)...] + self[..<(count % self.count)])
  }
}
