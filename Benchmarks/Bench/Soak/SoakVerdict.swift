/// Whether a bad shadow was felt, by a proxy with or without a breaker.
struct SoakVerdict: Equatable, Sendable {
  enum Latency: String, Sendable {
    case withinNoise = "within noise"
    case felt
    /// The slices without a shadow differ among each other by more than half, or are fewer than three.
    case cannotTell = "too much noise to tell"
  }

  var failures: Int
  var latency: Latency
  /// The ratio of p99 to that without a shadow in the same round.
  var ratio: Spread?
  /// The greatest p99 without a shadow, over the median of them.
  var noise: Double?
  var peakBytes: Int
  var boundBytes: Int
  /// Without a breaker: whether the shadow was as bad as it should be.
  var isShown: Bool
  var workerRestarts: Int

  var isInBound: Bool { peakBytes <= boundBytes }
  /// What the exit status tells; latency is not part of it.
  var isKept: Bool { failures == 0 && isInBound && isShown && workerRestarts == 0 }
}

extension SoakScenario {
  func slices(of proxy: SoakProxy) -> [SoakSlice] { slices.filter { $0.proxy == proxy } }

  func failures(of proxy: SoakProxy) -> [String: Int] {
    slices(of: proxy).reduce(into: [:]) { $0.merge($1.failures, uniquingKeysWith: +) }
  }

  /// The ratios of each round to the slice without a shadow in the same round.
  func ratio(of proxy: SoakProxy, _ value: (SoakSlice) -> Double?) -> Spread? {
    let base = slices(of: .noShadow)
    return Spread(
      slices(of: proxy).compactMap { slice in
        guard let other = base.first(where: { $0.round == slice.round }).flatMap(value), other > 0
        else { return nil }
        return value(slice).map { $0 / other }
      }
    )
  }

  func peakBytes(of proxy: SoakProxy) -> Int { slices(of: proxy).map(\.peakBytes).max() ?? 0 }

  func verdict(of proxy: SoakProxy) -> SoakVerdict {
    let base = Spread(slices(of: .noShadow).map(\.p99))
    let noise = base.flatMap { $0.median > 0 ? $0.most / $0.median : nil }
    let ratio = ratio(of: proxy) { $0.p99 }
    let counters = counters[proxy.rawValue] ?? ShadowCounters()
    return SoakVerdict(
      failures: failures(of: proxy).values.reduce(0, +),
      latency: latency(ratio, noise),
      ratio: ratio,
      noise: noise,
      peakBytes: peakBytes(of: proxy),
      boundBytes: SoakBound.bytes(
        base: peakBytes(of: .noShadow),
        copying: slices(of: proxy).map(\.mostCopying).max() ?? 0
      ),
      isShown: proxy != .breakerOff || shadow.isShown(by: counters),
      workerRestarts: counters.workerRestarts
    )
  }

  private func latency(_ ratio: Spread?, _ noise: Double?) -> SoakVerdict.Latency {
    guard let ratio, let noise, let base = Spread(slices(of: .noShadow).map(\.p99)),
      slices(of: .noShadow).count >= 3, base.most <= 1.5 * base.least
    else { return .cannotTell }
    return ratio.median <= noise ? .withinNoise : .felt
  }

  /// Whether nothing failed, no memory was beyond its bound, and the shadow was as bad as it should be.
  var isKept: Bool {
    problem == nil && failures(of: .noShadow).isEmpty
      && [SoakProxy.breakerOff, .breakerOn].allSatisfy { verdict(of: $0).isKept }
  }
}
