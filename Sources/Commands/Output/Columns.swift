/// A table in plain text: columns as wide as their widest cell, two spaces between.
struct Columns {
  private var rows: [[String]] = []

  init(_ header: [String]) {
    rows.append(header)
  }

  mutating func add(_ row: [String]) {
    rows.append(row)
  }

  /// The lines, without trailing spaces.
  var lines: [String] {
    let count = rows.map(\.count).max() ?? 0
    let widths = (0..<count).map { column in
      rows.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    return rows.map { row in
      let cells = row.enumerated().map { index, cell in
        cell + String(repeating: " ", count: widths[index] - cell.count)
      }
      var line = cells.joined(separator: "  ")
      while line.last == " " { line.removeLast() }
      return line
    }
  }
}

extension Duration {
  /// `0.21 s`.
  var seconds: String {
    let hundredths =
      (Int(components.seconds) * 100)
      + Int(components.attoseconds / 10_000_000_000_000_000)
    let fraction = hundredths % 100
    return "\(hundredths / 100).\(fraction < 10 ? "0" : "")\(fraction) s"
  }
}
