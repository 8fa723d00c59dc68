import Foundation
import FoundationXML
import Testing

@testable import Bench

struct WritingTests {
  private let report = Report.sample(cpu: [
    .duplexUring: [18], .duplexEpoll: [25], .haproxyTCP: [20], .nginxMirror: [60],
  ])

  @Test func `the goals stand in a table with what was reached`() {
    let heading = "| measure | target | io_uring | reached | epoll |\n"
    let small = "| Small keep-alive, 64 connections"

    let table = Markdown.text(of: report).components(separatedBy: heading).last ?? ""
    let rows = table.components(separatedBy: "\n").dropFirst().prefix(3)

    #expect(
      Array(rows) == [
        "\(small): CPU per duplicated request, to haproxy tcp only forwarding | ≤ 0.90 | 0.90 (0.90–0.90) | yes | 1.25 (1.25–1.25) |",
        "\(small): CPU per duplicated request, to nginx mirror | ≤ 0.20 | 0.30 (0.30–0.30) | no | 0.42 (0.42–0.42) |",
        "\(small), all share the machine: requests/s, to nginx mirror | ≥ 3.00 | – | not measured | – |",
      ]
    )
  }

  @Test func `each candidate has a row with its share of copies`() {
    let text = Markdown.text(of: report)

    #expect(
      text.contains(
        "| duplex-proxy io_uring, duplicates | 2,000 (2,000–2,000) | 18.0 (18.0–18.0) | – | – | 100.00 % |"
      )
    )
    #expect(text.contains("| 1 | 2026-01-01T00:00:00Z | 0.25 | 2 | 1.0 % |"))
  }

  @Test func `what was refused is listed with its reason`() {
    var report = report
    report.samples[0].refusal = "the shadow got 9 of 10 requests"

    let text = Markdown.text(of: report)

    #expect(text.contains("## Refused, and in no number above"))
    #expect(text.contains("REFUSED: the shadow got 9 of 10 requests"))
  }

  @Test func `a page of a machine that was not quiet says so`() {
    var loud = report
    loud.samples[0].waitedNanoseconds = 100_000_000

    #expect(!Markdown.text(of: report).contains("The machine was not quiet"))
    #expect(Markdown.text(of: loud).contains("The machine was not quiet"))
  }

  @Test func `the chart is XML with a bar for each candidate`() {
    let bars = Bars()
    let parser = XMLParser(data: Data(Chart.svg(of: report).utf8))
    parser.delegate = bars

    #expect(parser.parse())
    #expect(bars.widths == ["146.7", "440.0", "132.0", "183.3"])
  }
}

/// Collects the widths of the bars.
private final class Bars: NSObject, XMLParserDelegate {
  var widths: [String] = []

  func parser(
    _ parser: XMLParser,
    didStartElement name: String,
    namespaceURI: String?,
    qualifiedName: String?,
    attributes: [String: String]
  ) {
    if name == "rect" { widths.append(attributes["width"] ?? "none") }
  }
}
