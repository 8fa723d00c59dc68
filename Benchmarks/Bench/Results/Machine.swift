import Foundation
import Glibc

/// Where something was measured, and with what.
struct Machine: Codable, Sendable {
  var processor: String
  var processors: Int
  var memoryMegabytes: Int
  var kernel: String
  var programs: [String]

  /// This one, with the programs as they call themselves.
  static func this(_ peers: Peers) throws -> Machine {
    var system = utsname()
    uname(&system)
    let release = withUnsafeBytes(of: &system.release) {
      String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self)
    }
    return Machine(
      processor: value(of: "model name", in: "/proc/cpuinfo"),
      processors: Processors.all.count,
      memoryMegabytes: (Int(value(of: "MemTotal", in: "/proc/meminfo").filter(\.isNumber)) ?? 0)
        / 1024,
      kernel: "Linux \(release)",
      programs: [
        try firstLine(of: Tool.haproxy.path, "-v", in: peers.folder),
        try firstLine(of: Tool.nginx.path, "-v", in: peers.folder),
        try firstLine(of: peers.proxy, "--version", in: peers.folder)
          + (peers.proxyArguments.isEmpty ? "" : " " + peers.proxyArguments.joined(separator: " ")),
      ]
    )
  }

  private static func value(of key: String, in path: String) -> String {
    let lines = (TextFile.read(path) ?? "").split(separator: "\n")
    let line = lines.first { $0.hasPrefix(key) } ?? ""
    return line.split(separator: ":").dropFirst().first?
      .trimmingCharacters(in: .whitespaces) ?? "unknown"
  }

  private static func firstLine(
    of path: String,
    _ flag: String,
    in folder: String
  ) throws -> String {
    let program = try Program(path, [path, flag], log: "\(folder)/version.log", on: .all)
    program.awaitEnd()
    let line = program.output.split(separator: "\n").first.map(String.init) ?? "unknown"
    return line.components(separatedBy: " - http")[0]
  }
}
