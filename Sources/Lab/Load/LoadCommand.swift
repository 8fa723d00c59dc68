import ArgumentParser
import Dispatch
import SystemPackage

#if canImport(Glibc)
  import Glibc
#endif

/// `duplex-lab load`: the strict client.
struct LoadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Send requests and count every failure: never retries, never reconnects silently.",
    discussion: """
      A keep-alive connection that the server closed while it was idle is opened anew, and counted; \
      that is no failure. Everything else that goes wrong is, a reset of an idle connection included.

      Examples:
        duplex-lab load --seconds 10 --connections 8
        duplex-lab load --seconds 10 --connections 4 --new-connections --output json
        duplex-lab load --seconds 0 --connections 8     until SIGINT or SIGTERM

      Exit status: 0 no failure, 1 some requests failed, 2 nothing was sent.
      """
  )

  @OptionGroup var options: LabOptions

  @Option(help: "For how long; 0: until SIGINT or SIGTERM, then what is in flight is finished.")
  var seconds = 10.0

  @Option(help: "How many connections, each with one request in flight.")
  var connections = 8

  @Flag(help: "A new connection for every request.")
  var newConnections = false

  @Option(help: "Requests a second in all; default: as fast as the answers come.")
  var rate: Double?

  @Option(help: "The path that is asked for.")
  var path = "/"

  @Option(help: "How long a connection rests between an answer and its next request.")
  var thinkMs = 0

  @Option(help: "How long a request may take before it counts as failed.")
  var timeoutMs = 5000

  @Option(help: "IPv4 address and port; default: the lab's first balancer, port 80.")
  var address: String?

  @Option(help: "The status that every answer must have.")
  var expectStatus = 200

  @Option(help: "What every body must begin with; default: the lab's own answers, byte for byte.")
  var expectBody: String?

  @Flag(help: "Any body will do.")
  var expectAnyBody = false

  @Option(help: "How the result is written: text or json.")
  var output: LabOutput = .text

  func validate() throws {
    guard (1...4096).contains(connections) else {
      throw ValidationError("--connections takes 1 to 4096.")
    }
    guard seconds >= 0, thinkMs >= 0, timeoutMs > 0, rate.map({ $0 > 0 }) ?? true else {
      throw ValidationError("times and rates are positive numbers.")
    }
  }

  func run() async throws {
    let stop = StopFlag()
    let sources = [SIGINT, SIGTERM].map { number in
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { stop.set() }
      source.resume()
      return source
    }
    defer { for source in sources { source.cancel() } }

    let report = try run(until: stop)
    switch output {
    case .text: print(report.text)
    case .json: print(try report.json)
    }
    if report.requests == 0 { throw ExitCode(2) }
    if report.failed > 0 { throw ExitCode(1) }
  }

  private func run(until stop: StopFlag) throws -> LoadReport {
    do {
      var loop = try LoadLoop(order(), stop: stop)
      return loop.run()
    } catch let error as LabError {
      try FileDescriptor.standardError.writeAll("\(error)\n".utf8)
      throw ExitCode(2)
    }
  }

  private func order() throws -> LoadOrder {
    let (host, port) = try target()
    return LoadOrder(
      host: host,
      port: port,
      path: path,
      connections: connections,
      usesNewConnections: newConnections,
      rate: rate,
      thinking: .milliseconds(thinkMs),
      timeout: .milliseconds(timeoutMs),
      length: seconds > 0 ? .seconds(seconds) : nil,
      expectedStatus: expectStatus,
      expectedBody: expectAnyBody ? nil : Array((expectBody ?? "hello from ").utf8),
      expectedBodies: try expectedBodies()
    )
  }

  /// Every app server of the lab has one answer to `/`.
  private func expectedBodies() throws -> Set<[UInt8]> {
    guard address == nil, path == "/", expectBody == nil, !expectAnyBody else { return [] }
    let hosts = try LabSettings.required(state: options.state).hosts
    return Set(hosts.filter { $0.kind == .app }.map { Array("hello from \($0.name)\n".utf8) })
  }

  private func target() throws -> (String, Int) {
    guard let address else {
      return (try LabSettings.required(state: options.state).host("lb1").address, 80)
    }
    guard let colon = address.lastIndex(of: ":"),
      let port = Int(address[address.index(after: colon)...]), (1...65535).contains(port)
    else { throw ValidationError("--address takes ADDRESS:PORT.") }
    return (String(address[..<colon]), port)
  }
}
