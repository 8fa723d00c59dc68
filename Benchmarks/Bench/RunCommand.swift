import ArgumentParser
import CLinux
import Foundation

/// `duplex-bench run`, which is what `duplex-bench` alone does.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Measure, and write a table, a chart and the raw numbers."
  )

  @Option(help: "How often everything is measured.")
  var rounds = 5

  @Option(help: "How long each measurement lasts.")
  var seconds = 2.0

  @Flag(help: "Three rounds of 0.4 s: a first look, of which nothing is written.")
  var quick = false

  @Option(
    help: "Loads, separated by commas: \(Load.catalogue.map(\.name).joined(separator: ", "))."
  )
  var only: String?

  @Option(
    help:
      "Candidates, separated by commas: \(Candidate.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var candidates: String?

  @Option(help: "The duplex-proxy to measure.")
  var proxy = ".build-static/release/duplex-proxy"

  @Option(help: "More words for duplex-proxy, separated by spaces.")
  var proxyArguments = "--threads 1"

  @Option(help: "Where latest.md, latest.svg and latest.json are written.")
  var results = "Benchmarks/results"

  @Flag(help: "Print the table only; write nothing.")
  var dry = false

  func validate() throws {
    guard rounds > 0, seconds >= 0.05 else {
      throw ValidationError("--rounds and --seconds (at least 0.05) are more than nothing.")
    }
    _ = try chosenLoads()
    _ = try chosenCandidates()
  }

  func run() throws {
    clinux_note_stop_signals()
    let report = try measureUnlessInterrupted()
    print(Markdown.text(of: report))
    if quick, !dry {
      Self.say("Not written: a first look is no result.")
    } else if !dry {
      try write(report)
    }
    if report.samples.contains(where: { $0.refusal != nil }) {
      Self.say("SOME RESULTS WERE REFUSED; see above.")
      throw ExitCode(1)
    }
  }

  private func measureUnlessInterrupted() throws -> Report {
    do {
      return try measure()
    } catch BenchError.interrupted {
      Self.say("Interrupted; all that was started has ended, and nothing was written.")
      throw ExitCode(130)
    }
  }

  private func measure() throws -> Report {
    let folder = try TemporaryFolder()
    return try withExtendedLifetime(folder) { try measure(in: folder.path) }
  }

  private func measure(in folder: String) throws -> Report {
    let peers = Peers(
      proxy: URL(fileURLWithPath: proxy).path,
      proxyArguments: proxyArguments.split(separator: " ").map(String.init),
      folder: folder
    )
    guard access(peers.proxy, X_OK) == 0 else {
      throw BenchError.notFound(program: proxy, hint: "make proxy")
    }
    let settings = Bench.Settings(
      rounds: quick ? 3 : rounds,
      seconds: quick ? 0.4 : seconds,
      loads: try chosenLoads(),
      candidates: try chosenCandidates()
    )
    var report = Report(machine: try Machine.this(peers), seconds: settings.seconds)
    var bench = try Bench(settings, peers: peers, ownProgram: "/proc/self/exe")
    try bench.run { surroundings, round in
      report.rounds.append(surroundings)
      Self.say("round \(round) of \(settings.rounds), load average \(surroundings.loadAverage)")
    } tell: { sample in
      report.samples.append(sample)
      Self.say("  " + sample.line)
    }
    report.rounds.append(Surroundings.now())
    return report
  }

  private func write(_ report: Report) throws {
    try TextFile.makeFolder(results)
    try TextFile.write(Markdown.text(of: report), to: "\(results)/latest.md")
    try TextFile.write(Chart.svg(of: report), to: "\(results)/latest.svg")
    try TextFile.write(try report.json, to: "\(results)/latest.json")
    Self.say("written: \(results)/latest.md, latest.svg, latest.json")
  }

  private func chosenLoads() throws -> [Load] {
    guard let only else { return Load.catalogue }
    return try only.split(separator: ",").map { name in
      guard let load = Load.catalogue.first(where: { $0.name == name }) else {
        throw ValidationError("--only \(name): there is no such load.")
      }
      return load
    }
  }

  private func chosenCandidates() throws -> Set<Candidate> {
    guard let candidates else { return Set(Candidate.allCases) }
    return Set(
      try candidates.split(separator: ",").map { name in
        guard let candidate = Candidate(rawValue: String(name)) else {
          throw ValidationError("--candidates \(name): there is no such candidate.")
        }
        return candidate
      }
    )
  }

  private static func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
