/// The servers behind what is measured: they run as long as this lives.
final class Origins {
  /// nginx, which answers in the three sizes.
  let answering: Servers
  /// Our own, which reads what it is sent to the end before it answers: nginx alone would not.
  let reading: Servers
  /// The same, in the thread of the client.
  let companions: Servers
  private let programs: [Program]

  /// - Parameter ownProgram: this executable, which has the sink in it.
  init(in folder: String, ownProgram: String, on processors: Processors) throws {
    try Self.writeAnswers(in: folder)
    let ports = try LoopbackPort.free(6)
    let nginx = try ["primary", "shadow"].enumerated().map { index, name in
      let path = "\(folder)/\(name).conf"
      let role = NginxConfiguration.Role.origin(status: ports[index + 2])
      let configuration = NginxConfiguration(role: role, listen: ports[index], folder: folder)
      try TextFile.write(configuration.text, to: path)
      return try Program(
        "nginx, \(name)",
        [try Tool.nginx.path, "-p", folder, "-c", path],
        log: "\(folder)/\(name).log",
        on: processors
      )
    }
    let sinks = try ["primary", "shadow"].enumerated().map { index, name in
      try Program(
        "sink, \(name)",
        [ownProgram, "sink", "\(ports[index + 4].number)"],
        log: "\(folder)/sink-\(name).log",
        on: processors
      )
    }
    programs = nginx + sinks
    for (program, port) in zip(programs, [ports[0], ports[1], ports[4], ports[5]]) {
      try program.expectListening(on: port)
    }
    answering = Servers(primary: ports[0], shadow: ports[1], countedAt: ports[2], ports[3])
    reading = Servers(primary: ports[4], shadow: ports[5], countedAt: ports[4], ports[5])
    companions = Servers(try Companions())
  }

  func move(to processors: Processors) throws {
    for program in programs { try program.move(to: processors) }
  }

  private static func writeAnswers(in folder: String) throws {
    let answers = "\(folder)/answers"
    try TextFile.makeFolder(answers)
    try TextFile.write(String(repeating: "x", count: 10 << 10), to: "\(answers)/10k")
    try TextFile.write(String(repeating: "x", count: 1 << 20), to: "\(answers)/1m")
  }
}
