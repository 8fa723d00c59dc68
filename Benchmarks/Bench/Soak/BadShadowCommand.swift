import ArgumentParser
import CLinux
import Foundation

/// The bad shadow, in a process of its own.
struct BadShadowCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bad-shadow",
    abstract: "Serve as a bad shadow.",
    shouldDisplay: false
  )

  /// What it prints once it is as bad as it will be.
  static let ready = "ready"

  @Argument var kind: BadShadow
  @Argument var port: UInt16

  func run() throws {
    clinux_note_stop_signals()
    _ = Descriptors.limit
    // What it does to the proxy is asked, not what it takes from the client that shares a processor with it.
    let result = clinux_give_way()
    guard result == 0 else { throw BenchError.system("giving way to others", -result) }
    if kind == .sound {
      var server = try Sink(on: LoopbackPort(port), tellsCount: false)
      sayReady()
      try server.run()
    } else {
      var server = try BadShadowServer(kind, on: LoopbackPort(port))
      sayReady()
      try server.run()
    }
  }

  private func sayReady() {
    FileHandle.standardOutput.write(Data((Self.ready + "\n").utf8))
  }
}

extension BadShadow: ExpressibleByArgument {}
