package import ArgumentParser
import CLinux
import Foundation

/// `duplex-bench`: measures duplex-proxy against what Debian offers, on one machine. This room drives clients,
/// servers and proxies and writes what it saw; it has no part in the proxy.
package struct BenchCommand: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "duplex-bench",
    abstract: "Measure duplex-proxy against haproxy and nginx on this machine.",
    subcommands: [RunCommand.self, SoakCommand.self, SinkCommand.self, BadShadowCommand.self],
    defaultSubcommand: RunCommand.self
  )

  package init() {}
}

/// The server that uploads are sent to, in a process of its own.
struct SinkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sink",
    abstract: "Serve as the server that uploads are sent to.",
    shouldDisplay: false
  )

  @Argument var port: UInt16

  func run() throws {
    clinux_note_stop_signals()
    var sink = try Sink(on: LoopbackPort(port))
    try sink.run()
  }
}
