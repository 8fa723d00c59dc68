import Foundation

/// What the machine was doing before a round.
struct Surroundings: Codable, Sendable, Equatable {
  var loadAverage: Double
  /// Ticks that the hypervisor gave to others since the start.
  var stolenTicks: Int
  var time: String

  static func now() -> Surroundings {
    let load = (TextFile.read("/proc/loadavg") ?? "").split(separator: " ").first
    // cpu user nice system idle iowait irq softirq steal …
    let ticks = (TextFile.read("/proc/stat") ?? "").split(separator: "\n").first?.split(
      separator: " "
    )
    return Surroundings(
      loadAverage: load.flatMap { Double($0) } ?? 0,
      stolenTicks: ticks.flatMap { $0.count > 8 ? Int($0[8]) : nil } ?? 0,
      time: Date().formatted(.iso8601)
    )
  }
}
