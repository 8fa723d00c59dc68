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
    let result = clinux_give_way(0, 1)
    guard result == 0 else { throw BenchError.system("giving way to others", -result) }
    var server = try BadShadowServer(kind, on: LoopbackPort(port))
    FileHandle.standardOutput.write(Data((Self.ready + "\n").utf8))
    try server.run()
  }
}

extension BadShadow: ExpressibleByArgument {}
