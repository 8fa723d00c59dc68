package import Remote

/// One server as the running HAProxy has it (management guide 9.3, `show servers state`, `show stat`).
package struct ServerState: Sendable, Hashable, Codable {
  package var id: ServerID
  package var address: String
  package var port: Int
  package var operational: Operational
  /// The bits of `srv_admin_state`.
  package var administrative: Int
  /// `UP`, `DOWN`, `MAINT`, `DRAIN`, `no check`…
  package var status: String
  package var currentSessions: Int
  package var totalSessions: Int
  package var queued: Int

  package init(
    id: ServerID,
    address: String,
    port: Int,
    operational: Operational,
    administrative: Int,
    status: String,
    currentSessions: Int,
    totalSessions: Int,
    queued: Int
  ) {
    self.id = id
    self.address = address
    self.port = port
    self.operational = operational
    self.administrative = administrative
    self.status = status
    self.currentSessions = currentSessions
    self.totalSessions = totalSessions
    self.queued = queued
  }

  package enum Operational: Int, Sendable, Hashable, Codable {
    case down
    case starting
    case up
    case stopping
  }

  /// Nobody took it out: no maintenance, no drain. `disabled` in the file leaves a bit (4) behind
  /// that says nothing about now.
  package var isReady: Bool { administrative & ~4 == 0 }

  /// HAProxy would choose it for a new request.
  package var takesRequests: Bool { isReady && operational == .up }

  /// Reads what `HAProxyProcess.readServers` printed; nil where no server state is in it.
  package static func reading(_ result: CommandResult) -> [ServerState]? {
    guard result.succeeded else { return nil }
    let lines = result.text.split(separator: "\n")
    let states = reading(lines)
    return states.isEmpty ? nil : states
  }

  /// The servers that `HAProxyProcess.watchRequests` saw requests sent to.
  package static func busyServers(_ result: CommandResult) -> [ServerID] {
    result.text.split(separator: "\n").compactMap { line in
      guard line.hasPrefix("busy ") else { return nil }
      return ServerID(String(line.dropFirst("busy ".count)))
    }
  }

  /// Reads the lines that begin with `state ` and `stat `.
  static func reading(_ lines: [Substring]) -> [ServerState] {
    let counters = Counters(lines)
    return lines.filter { $0.hasPrefix("state ") }.compactMap { line in
      let words = line.split(separator: " ").dropFirst().map(String.init)
      guard words.count >= 19, let operational = Int(words[5]).flatMap(Operational.init),
        let administrative = Int(words[6]), let port = Int(words[18])
      else { return nil }
      let id = ServerID(backend: words[1], server: words[3])
      return ServerState(
        id: id,
        address: words[4],
        port: port,
        operational: operational,
        administrative: administrative,
        status: counters.text(id, "status"),
        currentSessions: counters.number(id, "scur"),
        totalSessions: counters.number(id, "stot"),
        queued: counters.number(id, "qcur")
      )
    }
  }

  /// `show stat`, whose header names the columns.
  private struct Counters {
    private var columns: [Substring] = []
    private var rows: [ServerID: [Substring]] = [:]

    init(_ lines: [Substring]) {
      for line in lines where line.hasPrefix("stat ") {
        let cells = line.dropFirst("stat ".count)
          .split(separator: ",", omittingEmptySubsequences: false)
        if cells[0].hasPrefix("# ") {
          columns = [cells[0].dropFirst(2)] + cells.dropFirst()
        } else if cells.count > 1 {
          rows[ServerID(backend: String(cells[0]), server: String(cells[1]))] = cells
        }
      }
    }

    func text(_ id: ServerID, _ column: Substring) -> String {
      guard let index = columns.firstIndex(of: column), let row = rows[id], index < row.count
      else { return "" }
      return String(row[index])
    }

    func number(_ id: ServerID, _ column: Substring) -> Int { Int(text(id, column)) ?? 0 }
  }
}
