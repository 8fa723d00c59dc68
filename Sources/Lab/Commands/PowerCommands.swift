import ArgumentParser

/// `duplex-lab poweroff HOST`: a power cut.
struct PowerOffCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "poweroff",
    abstract: "Cut a host's power; its disk stays.",
    discussion: """
      Examples:
        duplex-lab poweroff app2
      """
  )

  @OptionGroup var options: LabOptions
  @Argument var host: String

  func run() async throws {
    let fleet = try options.fleet()
    try await fleet.powerOff(try fleet.settings.host(host))
  }
}

/// `duplex-lab boot HOST`: after a power cut.
struct BootCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "boot",
    abstract: "Boot a host whose power was cut, and wait until it answers.",
    discussion: """
      Examples:
        duplex-lab boot app2
      """
  )

  @OptionGroup var options: LabOptions
  @Argument var host: String

  func run() async throws {
    let fleet = try options.fleet()
    let host = try fleet.settings.host(host)
    guard host.initProcess == nil else { throw LabError("\(host.name) is on") }
    // A host whose pid 1 died has left its namespace and interface behind.
    try await fleet.powerOff(host)
    try await fleet.boot(host)
    try await fleet.waitUntilUp(host)
  }
}

/// `duplex-lab partition HOST on|off`: cuts a host off from the others, or joins it again.
struct PartitionCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "partition",
    abstract: "Cut a host off the network (on), or join it again (off).",
    discussion: """
      Examples:
        duplex-lab partition app2 on
        duplex-lab partition app2 off
      """
  )

  @OptionGroup var options: LabOptions
  @Argument var host: String
  @Argument(help: "on or off") var state: State

  enum State: String, ExpressibleByArgument, CaseIterable {
    case on
    case off
  }

  func run() async throws {
    let fleet = try options.fleet()
    try await fleet.partition(try fleet.settings.host(host), isCut: state == .on)
  }
}
