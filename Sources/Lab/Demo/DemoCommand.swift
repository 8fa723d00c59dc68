package import ArgumentParser
import Subprocess
import SystemPackage

#if canImport(Glibc)
  import Glibc
#endif

/// `duplex-lab demo`: the main job, shown on a lab of its own, with two strict clients that watch.
package struct DemoCommand: AsyncParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "demo",
    abstract: "Show a whole rollout on a lab of its own: enable, roll back, disable, under load.",
    discussion: """
      Examples:
        duplex-lab demo

      Needs root. The lab is put up beside any other, and taken down at the end, whatever happens.

      Exit status: 0 only when no request failed, the shadow got every request that was sent while \
      all hosts were enabled, and haproxy.cfg ended as it began.
      """
  )

  @Option(help: "Where the demo's lab keeps its state.")
  var state = "/run/duplex-lab-demo"

  @Option(help: "The lab's network, a /24.")
  var network = "10.79.0"

  package init() {}

  package func run() async throws {
    let stage = DemoStage(state: state, network: network)
    try await stage.takeDown()
    let outcome: DemoOutcome
    do {
      outcome = try await DemoStory(stage: stage).tell()
    } catch {
      stage.say("The demo could not go on: \(error)")
      try await stage.takeDown()
      throw ExitCode(1)
    }
    try await stage.takeDown()
    stage.say("What came out")
    for line in outcome.table { print(line) }
    for problem in outcome.problems { print("NOT AS IT SHOULD BE: \(problem)") }
    if !outcome.problems.isEmpty { throw ExitCode(1) }
  }
}

/// What the demo does, in order.
struct DemoStory {
  let stage: DemoStage

  func tell() async throws -> DemoOutcome {
    stage.say("Putting up a fleet: one balancer, three app servers, a shadow")
    try await stage.lab(["up", "--network", stage.network, "--prefix", "dxdemo"])
    try await stage.writeInventory()
    let before = try await stage.configurationDigest()

    stage.say("Two strict clients begin: 8 connections kept alive, 4 with a new one per request")
    let clients = try stage.startClients()
    var outcome = DemoOutcome()
    do {
      try await rollOut(into: &outcome)
    } catch {
      await clients.stop()
      throw error
    }
    stage.say("The clients end")
    await clients.stop()
    outcome.keepAlive = try stage.report(of: .keepAlive)
    outcome.newConnections = try stage.report(of: .newConnections)
    outcome.configurationIsAsBefore = try await stage.configurationDigest() == before
    outcome.configurationDigest = before
    return outcome
  }

  private func rollOut(into outcome: inout DemoOutcome) async throws {
    stage.say("What a rollout would do: duplexctl rollout enable --dry-run")
    try await stage.duplexctl(["rollout", "enable", "--dry-run"])

    stage.say("duplexctl rollout enable")
    outcome.runs.append(try await stage.rollout("enable"))
    try await stage.duplexctl(["rollout", "status"])

    stage.say("Does the shadow get what the clients send? 2 s of marked requests")
    outcome.marked = try await stage.sendMarkedRequests(path: "/marked-by-the-demo")

    stage.say("duplexctl rollout rollback app2")
    outcome.runs.append(try await stage.rollout("rollback", "app2"))
    stage.say("duplexctl rollout enable, again: only app2 has something to do")
    outcome.runs.append(try await stage.rollout("enable"))
    stage.say("duplexctl rollout disable")
    outcome.runs.append(try await stage.rollout("disable"))
  }
}
