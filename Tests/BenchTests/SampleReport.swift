@testable import Bench

extension Report {
  /// A report of small-64, with these CPU times per request, in µs, round after round.
  static func sample(cpu: [Candidate: [Int64]]) -> Report {
    var report = Report.empty
    for (candidate, times) in cpu {
      for (index, time) in times.enumerated() {
        var sample = Sample(load: "small-64", candidate: candidate, round: index + 1)
        sample.requests = 1000
        sample.seconds = 0.5
        sample.cpuNanoseconds = time * 1_000_000
        sample.waitedNanoseconds = 5_000_000
        sample.shadowRequests = candidate.isDuplicating ? 1000 : 0
        report.samples.append(sample)
      }
    }
    return report
  }

  /// A report of one round of latency-64, with these p99 in µs.
  static func latencies(_ p99: [(Candidate, Double)]) -> Report {
    var report = Report.empty
    for (candidate, time) in p99 {
      var sample = Sample(load: "latency-64", candidate: candidate, round: 1)
      sample.requests = 10
      sample.seconds = 1
      sample.rate = 12_000
      sample.p50Microseconds = time / 2
      sample.p99Microseconds = time
      report.samples.append(sample)
    }
    return report
  }

  static var empty: Report {
    Report(
      machine: Machine(
        processor: "Abacus",
        processors: 2,
        memoryMegabytes: 2048,
        kernel: "Linux 6.1",
        programs: ["HAProxy 2.6", "nginx 1.22", "duplex-proxy 0.1.0"]
      ),
      seconds: 2,
      rounds: [
        Surroundings(loadAverage: 0.25, stolenTicks: 5, time: "2026-01-01T00:00:00Z"),
        Surroundings(loadAverage: 1, stolenTicks: 7, time: "2026-01-01T00:02:00Z"),
      ]
    )
  }
}
