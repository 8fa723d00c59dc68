/// A unified diff of two files with the same number of lines, which is all that the editor of
/// haproxy.cfg ever produces.
struct LineDiff {
  private let before: [Substring]
  private let after: [Substring]
  private let context = 3

  init(before: [UInt8], after: [UInt8]) {
    self.before = Self.lines(before)
    self.after = Self.lines(after)
  }

  /// The hunks in the format of `diff -u`; empty where nothing differs.
  func text(path: String) -> [String] {
    let changed = before.indices.filter { before[$0] != after[$0] }
    guard !changed.isEmpty else { return [] }
    return ["--- \(path)", "+++ \(path)"] + hunks(changed).flatMap(hunk)
  }

  private static func lines(_ bytes: [UInt8]) -> [Substring] {
    String(decoding: bytes, as: UTF8.self).unicodeScalars.split(
      separator: "\n",
      omittingEmptySubsequences: false
    ).map { Substring($0) }
  }

  /// Ranges of lines that hold changes and their context, joined where they touch.
  private func hunks(_ changed: [Int]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for line in changed {
      let range = max(0, line - context)..<min(before.count, line + context + 1)
      if let last = ranges.last, last.upperBound >= range.lowerBound {
        ranges[ranges.count - 1] = last.lowerBound..<range.upperBound
      } else {
        ranges.append(range)
      }
    }
    return ranges
  }

  private func hunk(_ range: Range<Int>) -> [String] {
    let place = "\(range.lowerBound + 1),\(range.count)"
    var lines = ["@@ -\(place) +\(place) @@"]
    var index = range.lowerBound
    while index < range.upperBound {
      guard before[index] != after[index] else {
        lines.append(" \(before[index])")
        index += 1
        continue
      }
      let end = (index..<range.upperBound).first { before[$0] == after[$0] } ?? range.upperBound
      lines += before[index..<end].map { "-\($0)" }
      lines += after[index..<end].map { "+\($0)" }
      index = end
    }
    return lines
  }
}
