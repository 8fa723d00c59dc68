/// Finds what was probably meant by a word with a slip in it.
enum NearestWord {
  /// The known word with the fewest slips (a letter too many, too few, wrong, or two swapped), if
  /// they are few for its length.
  static func to(_ word: String, in known: [String]) -> String? {
    let best = known.map { (word: $0, distance: distance(word, $0)) }.min {
      $0.distance < $1.distance
    }
    guard let best, best.distance <= max(1, word.count / 3) else { return nil }
    return best.word
  }

  /// Optimal string alignment distance.
  private static func distance(_ left: String, _ right: String) -> Int {
    let left = Array(left.lowercased())
    let right = Array(right.lowercased())
    guard !left.isEmpty, !right.isEmpty else { return max(left.count, right.count) }
    var rows = [Array(0...right.count)]
    for row in 1...left.count {
      var current = [row]
      for column in 1...right.count {
        let change = rows[row - 1][column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)
        var least = min(change, rows[row - 1][column] + 1, current[column - 1] + 1)
        if row > 1, column > 1, left[row - 1] == right[column - 2],
          left[row - 2] == right[column - 1]
        {
          least = min(least, rows[row - 2][column - 2] + 1)
        }
        current.append(least)
      }
      rows.append(current)
    }
    return rows[left.count][right.count]
  }
}
