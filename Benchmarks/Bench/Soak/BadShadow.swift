/// What a shadow may do wrong.
enum BadShadow: String, Codable, Sendable, CaseIterable {
  /// Nothing: it answers all. What clients notice of it is what copying costs, and the others are to be compared with that.
  case sound
  /// Nobody listens.
  case refused
  /// SYNs are dropped: the accept queue is full, and nobody takes from it.
  case blackholed
  /// Accepts, and never reads.
  case stuck
  /// Reads 1 KB of each connection every 100 ms.
  case slow
  /// Accepts, reads a little, and resets.
  case resetting
  /// Answers each connection with a stream that has no end, as fast as it is taken.
  case endless
  /// Works for two seconds; then it resets all it has, and nobody listens for two.
  case flapping

  /// The counters of a proxy without a breaker that show that the shadow did what it is called, each of which
  /// must have counted something.
  var evidence: [Evidence] {
    switch self {
    case .sound: [.noDrops]
    case .refused: [.drops(["connect_failed"])]
    case .blackholed: [.drops(["connect_timeout"])]
    case .stuck, .slow: [.drops(["lagging", "budget"])]
    case .resetting: [.drops(["reset"])]
    case .endless: [.answerBytes]
    case .flapping: [.drops(["connect_failed"]), .drops(["reset"])]
    }
  }

  enum Evidence: Equatable {
    /// Copies dropped for any of these reasons.
    case drops([String])
    /// More bytes of answers than a hundred for each copy.
    case answerBytes
    /// Copies, and none of them dropped.
    case noDrops
  }

  /// Whether it was as bad as it should have been: if not, the scenario proves nothing.
  func isShown(by counters: ShadowCounters) -> Bool {
    evidence.allSatisfy { evidence in
      switch evidence {
      case .drops(let reasons): reasons.contains { counters.drops[$0, default: 0] > 0 }
      case .noDrops: counters.copies > 0 && counters.drops.isEmpty
      case .answerBytes: counters.answerBytes > 100 * max(1, counters.copies)
      }
    }
  }
}
