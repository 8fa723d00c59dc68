/// The middle of some numbers, and how far they lie apart.
struct Spread: Equatable, Sendable {
  var median: Double
  var least: Double
  var most: Double
}

extension Spread {
  /// Nil where there are no numbers.
  init?(_ numbers: [Double]) {
    let sorted = numbers.sorted()
    guard let first = sorted.first, let last = sorted.last else { return nil }
    let middle = sorted.count / 2
    median = sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    least = first
    most = last
  }
}
