/// What the demo saw, and whether it is as it should be.
struct DemoOutcome: Sendable {
  var keepAlive = LoadSummary()
  var newConnections = LoadSummary()
  var marked = Marked()
  var runs: [Run] = []
  var configurationIsAsBefore = false
  var configurationDigest = ""

  /// Requests sent while all hosts were enabled, and how many of them the shadow answered.
  struct Marked: Sendable {
    var sent = 0
    var failed = 0
    var seenByShadow = 0
  }

  /// One rollout, with the time each host took.
  struct Run: Sendable {
    var name: String
    var seconds: Double
    var hosts: [(name: String, seconds: Double)]
  }

  var requests: Int { keepAlive.requests + newConnections.requests + marked.sent }
  var failed: Int { keepAlive.failed + newConnections.failed + marked.failed }

  var problems: [String] {
    var problems: [String] = []
    if failed > 0 { problems.append("\(failed) requests failed") }
    if keepAlive.requests == 0 || newConnections.requests == 0 || marked.sent == 0 {
      problems.append("a client sent nothing, so that nothing was shown")
    }
    if marked.seenByShadow != marked.sent {
      problems.append("the shadow saw \(marked.seenByShadow) of \(marked.sent) marked requests")
    }
    if !configurationIsAsBefore { problems.append("haproxy.cfg is not as it was before") }
    return problems
  }

  var table: [String] {
    let share = marked.sent == 0 ? 0 : 100 * Double(marked.seenByShadow) / Double(marked.sent)
    var lines = [
      "requests, kept alive          \(keepAlive.requests), failed \(keepAlive.failed)",
      "requests, new connections     \(newConnections.requests), failed \(newConnections.failed)",
      "requests in all               \(requests), failed \(failed)",
      "shadow's share while enabled  \(rounded(share)) % (\(marked.seenByShadow) of \(marked.sent))",
    ]
    for run in runs {
      let hosts = run.hosts.map { "\($0.name) \(rounded($0.seconds)) s" }.joined(separator: ", ")
      lines.append("\(padded(run.name)) \(rounded(run.seconds)) s in all: \(hosts)")
    }
    lines.append(
      "haproxy.cfg as before         \(configurationIsAsBefore ? "yes" : "NO"), "
        + "sha256 \(configurationDigest)"
    )
    return lines
  }

  private func padded(_ name: String) -> String {
    name + String(repeating: " ", count: max(0, 29 - name.count))
  }

  private func rounded(_ number: Double) -> String {
    let hundredths = Int((number * 100).rounded())
    let fraction = String(100 + hundredths % 100).dropFirst()
    return "\(hundredths / 100).\(fraction)"
  }
}

/// The two numbers of a load report that decide.
struct LoadSummary: Sendable {
  var requests = 0
  var failed = 0
}
