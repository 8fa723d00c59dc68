extension Inventory.BatchSize: CustomStringConvertible {
  /// Reads `2` or `25%`; nil for what is neither, below one, or above 100 %.
  package init?(written text: String) {
    if text.hasSuffix("%") {
      guard let share = Format<Int>.number(String(text.dropLast())), (1...100).contains(share)
      else { return nil }
      self = .percent(share)
    } else {
      guard let count = Format<Int>.number(text), count >= 1 else { return nil }
      self = .hosts(count)
    }
  }

  /// As it is written: `2`, `25%`.
  package var description: String {
    switch self {
    case .hosts(let count): "\(count)"
    case .percent(let share): "\(share)%"
    }
  }

  /// How many hosts are switched together when so many are chosen: at least one.
  package func count(of chosen: Int) -> Int {
    switch self {
    case .hosts(let count): max(1, count)
    case .percent(let share): max(1, chosen * share / 100)
    }
  }

  /// The hosts in batches, in order; the last may be smaller.
  package func batches(of hosts: [Host]) -> [[Host]] {
    let size = count(of: hosts.count)
    return stride(from: 0, to: hosts.count, by: size).map { start in
      Array(hosts[start..<min(start + size, hosts.count)])
    }
  }
}
