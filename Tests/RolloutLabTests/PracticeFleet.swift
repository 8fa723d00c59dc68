import Foundation
import Testing

/// A lab of the tests' own, and the programs as a person would run them.
struct PracticeFleet {
  private static let state = "/run/duplex-lab-test"
  private static let network = "10.81.0"
  private static let root = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

  /// Inventory, journals, reports.
  let folder: String

  struct Output {
    var status: Int32
    var text: String
    var errors: String
  }

  /// Puts the lab up for `body`, and takes it down whatever happens.
  static func with(
    apps: Int = 3,
    apply: String = "auto",
    user: String = "root",
    _ body: (PracticeFleet) async throws -> Void
  ) async throws {
    try #require(getuid() == 0, "the tests of the lab need root")
    let folder = NSTemporaryDirectory() + "duplex-lab-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let fleet = PracticeFleet(folder: folder)
    _ = try fleet.lab(["down"])
    let up = try fleet.lab(["up", "--apps", "\(apps)", "--prefix", "dxtest", "--network", network])
    try #require(up.status == 0, "\(up.errors)")
    do {
      try fleet.writeInventory(apply: apply, user: user)
      try await body(fleet)
    } catch {
      _ = try fleet.lab(["down"])
      throw error
    }
    let down = try fleet.lab(["down"])
    #expect(down.status == 0, "\(down.errors)")
    try FileManager.default.removeItem(atPath: folder)
  }

  // MARK: duplexctl

  func duplexctl(_ arguments: [String], inventory: String? = nil) throws -> Output {
    try Self.run("duplexctl", arguments + ["-i", inventory ?? self.inventory], state: folder)
  }

  func rollout(_ arguments: String..., inventory: String? = nil) throws -> Output {
    try duplexctl(["rollout"] + arguments + ["--yes"], inventory: inventory)
  }

  var inventory: String { "\(folder)/inventory.yml" }

  /// Another inventory beside the first, with a part of the text replaced.
  func inventory(replacing part: String, with other: String) throws -> String {
    let text = try String(contentsOfFile: inventory, encoding: .utf8)
    try #require(text.contains(part))
    let path = "\(folder)/\(UUID().uuidString).yml"
    try text.replacing(part, with: other).write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  /// The records of the newest journal, a JSON object a line.
  func newestJournal() throws -> [[String: Any]] {
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(folder)/journal").sorted()
    let text = try String(contentsOfFile: "\(folder)/journal/\(names.last ?? "")", encoding: .utf8)
    return try text.split(separator: "\n").map {
      try #require(
        try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
      )
    }
  }

  // MARK: The lab

  @discardableResult
  func lab(_ arguments: [String]) throws -> Output {
    try Self.run(
      "duplex-lab",
      [arguments[0], "--state", Self.state] + arguments.dropFirst(),
      state: folder
    )
  }

  @discardableResult
  func on(_ host: String, _ script: String) throws -> String {
    let output = try lab(["exec", host, "--", "sh", "-c", script])
    try #require(output.status == 0, "\(output.errors)")
    return output.text
  }

  func configuration() throws -> String { try on("lb1", "cat /etc/haproxy/haproxy.cfg") }

  /// A digest of everything that a dry run must leave alone: files, and HAProxy's state.
  func everything() throws -> [String] {
    let files = try ["lb1", "app1", "app2", "app3", "shadow1"].map { host in
      try on(
        host,
        "find /etc /opt /usr/local /var/lib /root /home -path /var/lib/monit -prune -o -type f "
          + "-newer /etc/lab-provisioned -exec sha256sum {} + | sort; "
          + "find /opt /etc/monit /etc/haproxy -printf '%p %m %U %l\\n' | sort"
      )
    }
    let state = try on(
      "lb1",
      "echo 'show servers state' | socat - /run/haproxy/admin.sock | cut -d' ' -f1-9,19; "
        + "echo 'show proc' | socat - /run/haproxy-master.sock | cut -d' ' -f1"
    )
    return files + [state]
  }

  /// Runs `body` while the strict clients send; both of them must have lost nothing.
  func underLoad(_ body: () throws -> Void) throws {
    let clients = try [["--connections", "6"], ["--connections", "3", "--new-connections"]].map {
      try Client(
        Self.program("duplex-lab"),
        ["load", "--state", Self.state, "--seconds", "0", "--output", "json"] + $0
      )
    }
    var failure: (any Error)?
    do { try body() } catch { failure = error }
    for client in clients {
      let report = try client.stop()
      #expect(report.failed == 0, "\(report.text)")
      #expect(report.requests > 100, "\(report.text)")
    }
    if let failure { throw failure }
  }
}

// MARK: -

extension PracticeFleet {
  /// - Parameter apply: as in an inventory; `master` is `auto` without a stats socket.
  private func writeInventory(apply: String, user: String) throws {
    let way = apply == "master" ? "auto" : apply
    let output = try lab(["inventory", "--apply", way, "--user", user])
    try #require(output.status == 0, "\(output.errors)")
    let text =
      apply == "master"
      ? output.text.replacing("    apply: auto", with: "    apply: auto\n    stats-socket: ~")
      : output.text
    try text.write(toFile: inventory, atomically: true, encoding: .utf8)
  }

  private static func program(_ name: String) -> String { "\(root)/.build/debug/\(name)" }

  private static func run(
    _ name: String,
    _ arguments: [String],
    state: String
  ) throws -> Output {
    let process = Process()
    process.executableURL = URL(filePath: program(name))
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["DUPLEXCTL_STATE": state]) { $1 }
    process.currentDirectoryURL = URL(filePath: root)
    process.standardInput = FileHandle.nullDevice
    // Files, not pipes: what a lab leaves running may hold them open.
    let output = try TemporaryFile()
    let errors = try TemporaryFile()
    process.standardOutput = output.handle
    process.standardError = errors.handle
    try process.run()
    process.waitUntilExit()
    return Output(
      status: process.terminationStatus,
      text: try output.text(),
      errors: try errors.text()
    )
  }

  private struct TemporaryFile {
    let handle: FileHandle
    private let path = NSTemporaryDirectory() + UUID().uuidString

    init() throws {
      try Data().write(to: URL(filePath: path))
      handle = try FileHandle(forUpdating: URL(filePath: path))
    }

    func text() throws -> String {
      defer { unlink(path) }
      return try String(contentsOfFile: path, encoding: .utf8)
    }
  }

  /// A strict client in the background.
  private struct Client {
    private let process = Process()
    private let pipe = Pipe()

    init(_ program: String, _ arguments: [String]) throws {
      process.executableURL = URL(filePath: program)
      process.arguments = arguments
      process.standardOutput = pipe
      try process.run()
    }

    func stop() throws -> (requests: Int, failed: Int, text: String) {
      kill(process.processIdentifier, SIGTERM)
      let data = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      struct Document: Decodable {
        var requests: Int
        var failed: Int
      }
      let document = try JSONDecoder().decode(Document.self, from: data)
      return (document.requests, document.failed, String(decoding: data, as: UTF8.self))
    }
  }
}
