import ArgumentParser
import Foundation

/// `duplex-lab status`: which hosts are on, and what runs on them.
struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show the hosts, whether they are on, and what runs on them.",
    discussion: """
      Examples:
        duplex-lab status
        duplex-lab status --output json
      """
  )

  @OptionGroup var options: LabOptions

  @Option(help: "How the result is written: text or json.")
  var output: LabOutput = .text

  func run() async throws {
    let fleet = try options.fleet()
    var rows: [Row] = []
    for host in fleet.settings.hosts {
      rows.append(
        Row(
          host: host.name,
          address: host.address,
          isOn: host.initProcess != nil,
          isPartitioned: try await fleet.isPartitioned(host),
          services: try await services(of: host)
        )
      )
    }
    switch output {
    case .json:
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
      print(String(decoding: try encoder.encode(rows), as: UTF8.self))
    case .text:
      for row in rows {
        let state = row.isOn ? (row.isPartitioned ? "cut off" : "on") : "off"
        print("\(row.host)\t\(row.address)\t\(state)\t\(row.services.joined(separator: " "))")
      }
    }
  }

  private struct Row: Encodable {
    var host: String
    var address: String
    var isOn: Bool
    var isPartitioned: Bool
    var services: [String]
  }

  private func services(of host: LabHost) async throws -> [String] {
    let pids = try await Tool.attempt(["ip", "netns", "pids", host.namespace]).output
      .split(separator: "\n").map(String.init)
    var names: Set<String> = []
    for pid in pids {
      let name = FileManager.default.contents(atPath: "/proc/\(pid)/comm")
        .map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines) }
      if let name, !["bash", "sleep", "unshare", "sh"].contains(name) { names.insert(name) }
    }
    return names.sorted()
  }
}

enum LabOutput: String, ExpressibleByArgument, CaseIterable {
  case text
  case json
}
