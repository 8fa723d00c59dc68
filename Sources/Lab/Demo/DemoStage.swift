import Foundation
import Subprocess
import SystemPackage

/// The demo's lab and the programs it runs, each as a person would run it.
struct DemoStage: Sendable {
  let state: String
  let network: String

  enum Client: String, Sendable, CaseIterable {
    case keepAlive = "keep-alive"
    case newConnections = "new-connections"

    var arguments: [String] {
      switch self {
      case .keepAlive: ["--connections", "8", "--think-ms", "2"]
      case .newConnections: ["--connections", "4", "--new-connections", "--think-ms", "2"]
      }
    }
  }

  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  /// A heading, so that one can follow.
  func say(_ text: String) {
    do {
      // Written at once: what the programs print comes in between.
      try FileDescriptor.standardOutput.writeAll("\n== \(text)\n".utf8)
    } catch {
      // Ignored: nobody is left to read it.
    }
  }

  // MARK: The lab

  func lab(_ arguments: [String]) async throws {
    try await show(Self.program("duplex-lab"), labArguments(arguments))
  }

  func takeDown() async throws {
    try await show(Self.program("duplex-lab"), labArguments(["down"]))
    if FileManager.default.fileExists(atPath: folder) {
      try FileManager.default.removeItem(atPath: folder)
    }
  }

  func configurationDigest() async throws -> String {
    let text = try await read(["exec", "lb1", "--", "sha256sum", "/etc/haproxy/haproxy.cfg"])
    return String(text.prefix(64))
  }

  // MARK: The clients

  func startClients() throws -> DemoClients {
    DemoClients(
      starting: Client.allCases.map { client in
        (
          Self.program("duplex-lab"),
          labArguments(
            ["load", "--seconds", "0", "--output", "json"] + client.arguments
          ),
          report(file: client)
        )
      }
    )
  }

  func report(of client: Client) throws -> LoadSummary {
    try Self.summary(try Data(contentsOf: URL(fileURLWithPath: report(file: client))))
  }

  func sendMarkedRequests(path: String) async throws -> DemoOutcome.Marked {
    let before = try await shadowLines(with: path)
    let text = try await read([
      "load", "--seconds", "2", "--connections", "4", "--path", path, "--expect-any-body",
      "--output", "json",
    ])
    let load = try Self.summary(Data(text.utf8))
    var seen = 0
    // The shadow may lag behind; it is given a moment, not a number of its own.
    for _ in 0..<50 {
      seen = try await shadowLines(with: path) - before
      if seen >= load.requests { break }
      try await Task.sleep(for: .milliseconds(100))
    }
    return DemoOutcome.Marked(sent: load.requests, failed: load.failed, seenByShadow: seen)
  }

  // MARK: duplexctl

  private var folder: String { "\(state)-files" }
  private var inventory: String { "\(folder)/inventory.yml" }

  func writeInventory() async throws {
    try FileManager.default.createDirectory(
      atPath: folder,
      withIntermediateDirectories: true
    )
    try await read(["inventory"]).write(
      toFile: inventory,
      atomically: true,
      encoding: .utf8
    )
  }

  func duplexctl(_ arguments: [String]) async throws {
    try await show(Self.program("duplexctl"), arguments + ["-i", inventory])
  }

  func rollout(_ verb: String, _ host: String? = nil) async throws -> DemoOutcome.Run {
    let arguments =
      ["rollout", verb] + (host.map { [$0] } ?? [])
      + ["-i", inventory, "--yes", "--output", "json"]
    let data = Data(try await output(of: Self.program("duplexctl"), arguments).utf8)
    let document = try JSONDecoder().decode(Document.self, from: data)
    return DemoOutcome.Run(
      name: host.map { "\(verb) \($0)" } ?? verb,
      seconds: document.seconds,
      hosts: document.hosts.map { ($0.host, $0.seconds) }
    )
  }

  private struct Document: Decodable {
    var seconds: Double
    var hosts: [Row]

    struct Row: Decodable {
      var host: String
      var seconds: Double
    }
  }
}

// MARK: -

extension DemoStage {
  /// The program beside this one.
  private static func program(_ name: String) -> FilePath {
    let own = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().path
    return FilePath(own).removingLastComponent().appending(name)
  }

  private func labArguments(_ arguments: [String]) -> [String] {
    [arguments[0], "--state", state] + arguments.dropFirst()
  }

  private func report(file client: Client) -> String { "\(folder)/\(client.rawValue).json" }

  private func shadowLines(with path: String) async throws -> Int {
    let text = try await read([
      "exec", "shadow1", "--", "sh", "-c", "grep -c -F '\(path)' /var/log/nginx/access.log || :",
    ])
    return Int(text.trimmingCharacters(in: .whitespacesAndNewlines)) ?? 0
  }

  private static func summary(_ data: Data) throws -> LoadSummary {
    struct Document: Decodable {
      var requests: Int
      var failed: Int
    }
    let document = try JSONDecoder().decode(Document.self, from: data)
    return LoadSummary(requests: document.requests, failed: document.failed)
  }

  private func read(_ arguments: [String]) async throws -> String {
    try await output(of: Self.program("duplex-lab"), labArguments(arguments))
  }

  /// Runs a program whose output the person sees.
  private func show(_ program: FilePath, _ arguments: [String]) async throws {
    let result = try await Subprocess.run(
      .path(program),
      arguments: Arguments(arguments),
      input: .none,
      output: .fileDescriptor(.standardOutput, closeAfterSpawningProcess: false),
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    )
    try Self.expectSuccess(result.terminationStatus, program, arguments)
  }

  private func output(of program: FilePath, _ arguments: [String]) async throws -> String {
    let result = try await Subprocess.run(
      .path(program),
      arguments: Arguments(arguments),
      input: .none,
      output: .string(limit: 16 << 20),
      error: .fileDescriptor(.standardError, closeAfterSpawningProcess: false)
    )
    // A client that counts failures exits with 1, and its report is what is wanted.
    if arguments.first != "load" {
      try Self.expectSuccess(result.terminationStatus, program, arguments)
    }
    return result.standardOutput
  }

  private static func expectSuccess(
    _ status: TerminationStatus,
    _ program: FilePath,
    _ arguments: [String]
  ) throws {
    guard case .exited(0) = status else {
      let words = ([program.lastComponent?.string ?? ""] + arguments).joined(separator: " ")
      throw Failure(description: "\(words) ended with \(status)")
    }
  }
}
