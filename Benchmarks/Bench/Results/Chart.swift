/// The report as a bar chart, in colours that can be read on a light and on a dark ground.
enum Chart {
  /// The panels, from top to bottom.
  private static let panels: [(load: String, metric: Metric, title: String)] = [
    ("small-64", .cpuPerRequest, "Small requests: CPU per request, µs"),
    ("shared-64", .requestsPerSecond, "Small requests, all share the machine: requests/s"),
    ("connect-64", .cpuPerRequest, "New connection per request: CPU per request, µs"),
    ("answers-1m", .cpuPerRequest, "1 MB answers: CPU per request, µs"),
    ("uploads-1m", .cpuPerRequest, "1 MB uploads: CPU per request, µs"),
    ("latency-64", .addedP99, "Fixed rate: added p99 latency, µs"),
    ("idle", .residentPerConnection, "Idle: RSS per connection, bytes"),
  ]

  private static let width = 860.0
  private static let labelWidth = 240.0
  private static let barWidth = 440.0
  private static let rowHeight = 20.0

  static func svg(of report: Report) -> String {
    var top = 12.0
    var marks: [String] = []
    for panel in panels {
      let bars = Candidate.allCases.compactMap { candidate in
        report.spread(panel.metric, of: candidate, under: panel.load).map { (candidate, $0) }
      }
      guard let most = bars.map({ $0.1.most }).max(), most > 0 else { continue }
      marks.append(text(panel.title, x: 8, y: top + 14, weight: "bold"))
      top += 24
      for (candidate, spread) in bars {
        marks += row(candidate, spread, scale: barWidth / most, top)
        top += rowHeight
      }
      top += 14
    }
    return """
      <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(Int(width)) \(Int(top))" \
      width="\(Int(width))" height="\(Int(top))" font-family="sans-serif" font-size="12">
      <title>duplex-proxy and what Debian offers: medians, lines from the least to the most</title>
      \(marks.joined(separator: "\n"))
      </svg>

      """
  }

  private static func row(
    _ candidate: Candidate,
    _ spread: Spread,
    scale: Double,
    _ top: Double
  ) -> [String] {
    let baseline = top + 11
    let (least, median, most) = (
      labelWidth + max(0, spread.least * scale), max(0, spread.median * scale),
      labelWidth + max(0, spread.most * scale)
    )
    return [
      text(candidate.title, x: labelWidth - 8, y: baseline, anchor: "end"),
      """
      <rect x="\(point(labelWidth))" y="\(point(top))" width="\(point(median))" height="12" \
      fill="\(colour(of: candidate))"/>
      """,
      """
      <line x1="\(point(least))" x2="\(point(most))" y1="\(point(top + 15))" y2="\(point(top + 15))" \
      stroke="\(ink)" stroke-width="1.5"/>
      """,
      text(Number.short(spread.median), x: max(most, labelWidth + median) + 6, y: baseline),
    ]
  }

  private static func text(
    _ words: String,
    x: Double,
    y: Double,
    anchor: String = "start",
    weight: String = "normal"
  ) -> String {
    """
    <text x="\(point(x))" y="\(point(y))" fill="\(ink)" text-anchor="\(anchor)" \
    font-weight="\(weight)">\(words)</text>
    """
  }

  private static func point(_ number: Double) -> String { Number.fixed(number, digits: 1) }

  /// A grey that stands out from white and from black.
  private static let ink = "#7a828e"

  private static func colour(of candidate: Candidate) -> String {
    switch candidate {
    case .duplexUring, .duplexEpoll: "#2f8f5b"
    case .nginxMirror: "#c4722e"
    case .haproxyTCP, .haproxySplice, .haproxyHTTP: "#4a7fc1"
    case .direct: "#9aa2ad"
    }
  }
}
