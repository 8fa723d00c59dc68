import ArgumentParser
import HAProxy

/// `duplexctl haproxy list`: every server line of `backend` and `listen` sections.
struct ListServersCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the server lines of a local haproxy.cfg.",
    discussion: """
      The JSON is an array of objects with section, backend, server, line, address (the whole \
      address word), port (null where there is no plain one) and state (enabled, or disabled for a \
      line that `remove` commented out).

      Examples:
        duplexctl haproxy list --file haproxy.cfg
        duplexctl haproxy list --file haproxy.cfg --output json
      """
  )

  @OptionGroup var options: FileOptions

  @Option(help: "How the result is written: text or json.")
  var output: OutputFormat = .text

  func run() async throws {
    let servers = try LocalConfiguration(path: options.file).document.servers
    switch output {
    case .json: Stream.standardOutput.line(try JSON.text(servers.map(Row.init)))
    case .text:
      var table = Columns(["line", "section", "backend", "server", "address", "port", "state"])
      for server in servers {
        table.add([
          String(server.line), server.section.rawValue, server.id.backend, server.id.server,
          server.address, server.port.map(String.init) ?? "-", server.state.rawValue,
        ])
      }
      for line in table.lines { Stream.standardOutput.line(line) }
    }
  }

  private struct Row: Encodable {
    var server: ServerLine

    enum Key: String, CodingKey {
      case section, backend, server, line, address, port, state
    }

    func encode(to encoder: any Encoder) throws {
      var row = encoder.container(keyedBy: Key.self)
      try row.encode(server.section, forKey: .section)
      try row.encode(server.id.backend, forKey: .backend)
      try row.encode(server.id.server, forKey: .server)
      try row.encode(server.line, forKey: .line)
      try row.encode(server.address, forKey: .address)
      try row.encode(server.port, forKey: .port)
      try row.encode(server.state, forKey: .state)
    }
  }
}
