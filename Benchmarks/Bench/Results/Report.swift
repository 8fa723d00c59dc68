import Foundation

/// All that a run saw.
struct Report: Codable, Sendable {
  var machine: Machine
  /// How long each measurement lasted.
  var seconds: Double
  /// Before each round, and after the last.
  var rounds: [Surroundings] = []
  var samples: [Sample] = []

  /// The median of the rounds; nil where no round gave a value that counts.
  func spread(_ metric: Metric, of candidate: Candidate, under load: String) -> Spread? {
    Spread(Array(values(metric, candidate, load).values))
  }

  /// The ratio of two candidates in each round, whatever the machine was doing in it, and the median of those.
  func ratio(
    _ metric: Metric,
    of candidate: Candidate,
    to other: Candidate,
    under load: String
  ) -> Spread? {
    let others = values(metric, other, load)
    return Spread(
      values(metric, candidate, load).compactMap { round, value in
        // Less than nothing was added: there is nothing to be compared with.
        others[round].flatMap { $0 > 0 ? value / $0 : nil }
      }
    )
  }

  /// The part of the time that candidates with a processor of their own had to wait for it, in that round: what
  /// others did to them. Nil where none was measured.
  func disturbance(in round: Int) -> Double? {
    let apart = Set(Load.catalogue.filter { $0.seating == .apart }.map(\.name))
    let disturbed = samples.filter {
      $0.round == round && apart.contains($0.load) && $0.waitedNanoseconds != nil
    }
    let seconds = disturbed.reduce(0) { $0 + $1.seconds }
    let waited = disturbed.reduce(0) { $0 + Double($1.waitedNanoseconds ?? 0) / 1e9 }
    return seconds > 0 ? waited / seconds : nil
  }

  /// Whether what was measured can be believed: in no round did others take more than a fiftieth.
  var wasQuiet: Bool {
    rounds.indices.dropLast().allSatisfy { (disturbance(in: $0 + 1) ?? 0) <= 0.02 }
  }

  private func values(
    _ metric: Metric,
    _ candidate: Candidate,
    _ load: String
  ) -> [Int: Double] {
    let samples = samples.filter { $0.load == load }
    return samples.filter { $0.candidate == candidate }.reduce(into: [:]) { values, sample in
      let direct = samples.first { $0.candidate == .direct && $0.round == sample.round }
      values[sample.round] = metric.value(of: sample, direct: direct)
    }
  }

  var json: String {
    get throws {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      return String(decoding: try encoder.encode(self), as: UTF8.self) + "\n"
    }
  }
}
