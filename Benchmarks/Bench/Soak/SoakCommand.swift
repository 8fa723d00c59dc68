import ArgumentParser
import CLinux
import Foundation

/// `duplex-bench soak`: what clients notice of shadows that are bad.
struct SoakCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "soak",
    abstract: "Put load on duplex-proxy for a long time while its shadow is bad.",
    discussion: """
      Takes one and a half times --seconds for each shadow, as half as much load again goes to a proxy without \
      a shadow, for comparison, and waits for copies that outlive their clients: about an hour with nothing said. The machine should have nothing else to do.

      Exit status: 0; 1 if a request failed, memory went beyond its bound or a shadow was not as bad as its \
      name; 130 interrupted. The latency is judged in the results, and does not change the exit status.
      """
  )

  @Option(help: "Of load that each bad shadow gets: half without, half with a breaker.")
  var seconds = 300.0

  @Option(
    help:
      "Shadows, separated by commas: \(BadShadow.allCases.map(\.rawValue).joined(separator: ", "))."
  )
  var only: String?

  @Option(help: "The proxy's engine: epoll or io_uring.")
  var engine = "epoll"

  @Option(help: "Requests a second (default: an eighth of what the proxy can do).")
  var rate: Double?

  @Option(help: "The duplex-proxy to test.")
  var proxy = ".build-static/release/duplex-proxy"

  @Option(help: "Where soak.md and soak.json are written, after each slice.")
  var results = "Benchmarks/results"

  func validate() throws {
    guard seconds >= 3, seconds.isFinite else { throw ValidationError("--seconds is at least 3.") }
    if let rate, rate < 100 { throw ValidationError("--rate is at least 100.") }
    guard ["epoll", "io_uring"].contains(engine) else {
      throw ValidationError("--engine is epoll or io_uring.")
    }
    _ = try shadows()
  }

  func run() throws {
    clinux_note_stop_signals()
    let folder = try TemporaryFolder()
    let report = try withExtendedLifetime(folder) { try soak(in: folder.path) }
    print(SoakPage.text(of: report))
    guard report.scenarios.allSatisfy(\.isKept) else { throw ExitCode(1) }
  }

  private func soak(in folder: String) throws -> SoakReport {
    let settings = Soak.Settings(
      proxy: URL(fileURLWithPath: proxy).path,
      engine: engine,
      seconds: seconds,
      shadows: try shadows(),
      rate: rate,
      folder: folder,
      ownProgram: "/proc/self/exe"
    )
    guard access(settings.proxy, X_OK) == 0 else {
      throw BenchError.notFound(program: proxy, hint: "make proxy")
    }
    let peers = Peers(proxy: settings.proxy, proxyArguments: [], folder: folder)
    var report = SoakReport(
      machine: try Machine.this(peers),
      engine: engine,
      began: Date().formatted(.iso8601),
      seconds: seconds,
      sliceSeconds: settings.sliceSeconds
    )
    Self.say("This takes about \(Int((settings.totalSeconds / 60).rounded(.up))) minutes.")
    do {
      try Soak(settings).run(&report) { report in
        try write(report)
        Self.say(SoakPage.line(of: report))
      }
    } catch BenchError.interrupted {
      Self.say("Interrupted; \(results)/soak.md has what was seen until then.")
      throw ExitCode(130)
    }
    return report
  }

  private func write(_ report: SoakReport) throws {
    try TextFile.makeFolder(results)
    try TextFile.write(SoakPage.text(of: report), to: "\(results)/soak.md")
    try TextFile.write(try report.json, to: "\(results)/soak.json")
  }

  private func shadows() throws -> [BadShadow] {
    guard let only else { return BadShadow.allCases }
    return try only.split(separator: ",").map { name in
      guard let shadow = BadShadow(rawValue: String(name)) else {
        throw ValidationError("--only \(name): there is no such shadow.")
      }
      return shadow
    }
  }

  private static func say(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }
}
