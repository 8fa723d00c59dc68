package import Remote

/// Reads, and only reads, what a balancer looks like.
package enum BalancerSurvey {
  /// One script that prints a line per fact: a key, a space, the value.
  package static func command(
    configuration: String,
    statsSocket: String?,
    masterSocket: String?,
    timeout: Duration
  ) -> RemoteCommand {
    var parts = [
      """
      say() { printf '%s\\n' "$*"; }
      # What runs, in the words of the first socket that says it.
      told=
      servers() {
        [ -z "$told" ] || return 0
        told=$("$1" "$2show servers state" 2>/dev/null | sed '/./!d; s/^/state /')
        say "$told"
        "$1" "$2show stat -1 4 -1" 2>/dev/null | sed 's/^/stat /'
        "$1" "$2show info" 2>/dev/null | sed -n 's/^Version: /version /p'
      }
      say uid "$(id -u)"
      file=$(realpath \(ShellWord.quoting(configuration))) && [ -r "$file" ] && {
        say file "$file"
        say bytes "$(base64 -w0 <"$file")"
        say sha256 "$(sha256sum <"$file" | cut -c1-64)"
        say changed "$(stat -c %.Y "$file")"
      }
      record=/var/lib/duplexctl/$(echo "${file#/}" | tr / _).sha256
      [ ! -r "$record" ] || say written "$(cat "$record")"
      for tool in socat perl python3; do
        ! command -v $tool >/dev/null 2>&1 || say client $tool
      done
      for pid in $(pgrep -x haproxy); do
        parent=$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")
        [ "$(cat "/proc/$parent/comm" 2>/dev/null)" != haproxy ] || continue
        say master "$pid"
        say executable "$(readlink "/proc/$pid/exe")"
        cd "/proc/$pid/cwd"
        tr '\\0' '\\n' <"/proc/$pid/cmdline" | awk 'on { print; on = 0 } $0 == "-f" { on = 1 }' |
        while read -r source; do
          source=$(realpath "$source")
          if [ -d "$source" ]; then say folder "$source"; else say source "$source"; fi
        done
        worker=$(pgrep -n -x -P "$pid" haproxy) && say worker "$worker"
        say started "$(awk -v now="$(date +%s.%N)" -v hz="$(getconf CLK_TCK)" '
          NR == FNR { up = $1; next } { printf "%.2f", now - up + $22 / hz }
          ' /proc/uptime "/proc/${worker:-$pid}/stat")"
      done
      cd /
      """
    ]
    if let statsSocket { parts.append(asking("stats", statsSocket)) }
    if let masterSocket { parts.append(asking("master", masterSocket)) }
    parts.append("say end")
    return RemoteCommand(parts.joined(separator: "\n"), timeout: timeout)
  }

  /// What the script said; nil where it did not get to its end.
  package static func reading(_ result: CommandResult) -> BalancerObservation? {
    let lines = result.text.split(separator: "\n")
    guard lines.last == "end" else { return nil }
    return Reading(lines).observation
  }

  /// Lines that try a socket with whatever the balancer has, and read the servers.
  private static func asking(_ name: String, _ socket: String) -> String {
    let path = ShellWord.quoting(socket)
    let clients = SocketClient.allCases.map { client in
      "elif command -v \(client.rawValue) >/dev/null 2>&1; then \(client.asking(socket))"
    }
    let ask = """
      \(name)() {
        if false; then :
        \(clients.joined(separator: "\n  "))
        fi
      }
      """
    let isMaster = name == "master"
    let key = "\(name)-socket"
    let trial = isMaster ? "show proc" : "set server duplexctl/none state ready"
    return """
      if [ -S \(path) ]; then
        say \(key) \(path)
        \(ask)
        \(name) '\(trial)' 2>&1 | sed 's/^/\(name)-says /'
        servers \(name) \(isMaster ? "'@1 '" : "''")
      else
        say \(name)-missing
      fi
      """
  }
}

// MARK: -

extension BalancerSurvey {
  private struct Reading {
    private var values: [Substring: [String]] = [:]
    private let lines: [Substring]

    init(_ lines: [Substring]) {
      self.lines = lines
      for line in lines {
        let key = line.prefix { $0 != " " }
        values[key, default: []].append(String(line.dropFirst(key.count + 1)))
      }
    }

    var observation: BalancerObservation {
      var seen = BalancerObservation()
      seen.isRoot = first("uid") == "0"
      seen.fileBytes = Base64.decoding(first("bytes") ?? "") ?? []
      seen.sha256 = first("sha256") ?? ""
      seen.fileChanged = first("changed").flatMap(Double.init) ?? 0
      seen.lastWritten = first("written")
      seen.servers = ServerState.reading(lines)
      seen.version = first("version")
      seen.statsSocketProblem = statsProblem
      seen.masterSocketProblem = masterProblem
      seen.oldWorkers = oldWorkers
      seen.lacksSocketClient = values["client"] == nil
      guard let file = first("file"), let master = masters.first(where: { $0.reads(file) }),
        let client = first("client").flatMap(SocketClient.init)
      else { return seen }
      seen.isMasterWorker = master.worker != nil
      seen.workerStarted = master.started
      seen.process = HAProxyProcess(
        configuration: file,
        sources: master.sources,
        executable: master.executable,
        masterPID: master.pid,
        statsSocket: statsProblem == nil ? first("stats-socket") : nil,
        masterSocket: masterProblem == nil ? first("master-socket") : nil,
        client: client,
        timeout: .seconds(30)
      )
      return seen
    }

    private func first(_ key: Substring) -> String? { values[key]?.first }

    private var statsProblem: String? {
      guard values["stats-says"] != nil || values["stats-missing"] != nil else {
        return values["stats-socket"] == nil ? "the inventory names none" : "no answer"
      }
      if values["stats-missing"] != nil { return "there is no such socket" }
      let said = (values["stats-says"] ?? []).joined(separator: " ").trimmingBlanks
      return said.hasPrefix("No such backend") ? nil : said.isEmpty ? "no answer" : said
    }

    private var masterProblem: String? {
      guard values["master-socket"] != nil || values["master-missing"] != nil else {
        return "the inventory names none"
      }
      if values["master-missing"] != nil { return "there is no such socket" }
      let said = values["master-says"] ?? []
      return said.contains { $0.hasPrefix("# workers") }
        ? nil : "it does not answer `show proc`: \(said.joined(separator: " ").trimmingBlanks)"
    }

    private var oldWorkers: Int {
      let lines = values["master-says"] ?? []
      guard let start = lines.firstIndex(where: { $0.hasPrefix("# old workers") }) else { return 0 }
      return lines[(start + 1)...].prefix { !$0.hasPrefix("#") }.filter { !$0.isEmpty }.count
    }

    private struct Master {
      var pid: Int
      var executable = ""
      var sources: [HAProxyProcess.Source] = []
      var worker: Int?
      var started = 0.0

      func reads(_ file: String) -> Bool {
        sources.contains { $0.isFolder ? file.hasPrefix($0.path + "/") : $0.path == file }
      }
    }

    private var masters: [Master] {
      var masters: [Master] = []
      for line in lines {
        let key = line.prefix { $0 != " " }
        let value = String(line.dropFirst(key.count + 1))
        if key == "master" { masters.append(Master(pid: Int(value) ?? 0)) }
        guard let last = masters.indices.last else { continue }
        switch key {
        case "executable": masters[last].executable = value
        case "source": masters[last].sources.append(.init(path: value, isFolder: false))
        case "folder": masters[last].sources.append(.init(path: value, isFolder: true))
        case "worker": masters[last].worker = Int(value)
        case "started": masters[last].started = Double(value) ?? 0
        default: break
        }
      }
      return masters
    }
  }
}

/// RFC 4648 section 4, as `base64 -w0` writes it.
enum Base64 {
  static func decoding(_ text: String) -> [UInt8]? {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.utf8.count / 4 * 3)
    var bits: UInt32 = 0
    var count = 0
    for character in text.utf8 where character != UInt8(ascii: "=") {
      guard let value = value(of: character) else { return nil }
      bits = bits << 6 | value
      count += 6
      if count >= 8 {
        count -= 8
        bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
      }
    }
    return bytes
  }

  private static func value(of character: UInt8) -> UInt32? {
    switch character {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(character - UInt8(ascii: "A"))
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(character - UInt8(ascii: "a")) + 26
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(character - UInt8(ascii: "0")) + 52
    case UInt8(ascii: "+"): 62
    case UInt8(ascii: "/"): 63
    default: nil
    }
  }
}
