import ArgumentParser

/// `duplex-lab up`: puts the lab up and waits until every host answers.
struct UpCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "up",
    abstract: "Put a lab up: balancers, app servers, a shadow.",
    discussion: """
      Examples:
        duplex-lab up
        duplex-lab up --apps 12 --delay-ms 25
        duplex-lab up --state /run/second-lab --prefix second --network 10.78.0
      """
  )

  @OptionGroup var options: LabOptions

  @Option(help: "How many app servers.")
  var apps = 3

  @Option(help: "How many balancers.")
  var balancers = 1

  @Option(help: "Begins the names of interfaces and namespaces; at most 6 letters and digits.")
  var prefix = "dxlab"

  @Option(help: "The first three numbers of the lab's /24.")
  var network = "10.77.0"

  @Option(
    name: .customLong("delay-ms"),
    help: "Milliseconds that a packet takes between this machine and the hosts, one way."
  )
  var delayMilliseconds = 0

  func validate() throws {
    guard (1...99).contains(apps) else { throw ValidationError("--apps takes 1 to 99.") }
    guard (1...9).contains(balancers) else { throw ValidationError("--balancers takes 1 to 9.") }
    guard (0...400).contains(delayMilliseconds) else {
      throw ValidationError("--delay-ms takes 0 to 400.")
    }
    guard (1...6).contains(prefix.count),
      prefix.allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber) })
    else { throw ValidationError("--prefix takes 1 to 6 letters and digits.") }
    let parts = network.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    guard parts.count == 3, !parts.contains(nil) else {
      throw ValidationError("--network takes three numbers, such as 10.77.0.")
    }
  }

  func run() async throws {
    guard try LabSettings.reading(state: options.state) == nil else {
      throw LabError(
        "a lab is up, or half up, in \(options.state): duplex-lab down --state \(options.state)"
      )
    }
    try await Requirements.check()
    let settings = LabSettings(
      state: options.state,
      prefix: prefix,
      network: network,
      apps: apps,
      balancers: balancers,
      delayMilliseconds: delayMilliseconds
    )
    let fleet = LabFleet(settings: settings)
    try await fleet.expectRoom()
    let clock = ContinuousClock()
    let start = clock.now
    do {
      try await fleet.up { print("\($0.name)  \($0.address)  up") }
    } catch {
      try await fleet.down()
      throw error
    }
    let milliseconds = (clock.now - start) / .milliseconds(1)
    print("\(settings.hosts.count) hosts in \(Int(milliseconds)) ms; state in \(settings.state)")
  }
}
