import ArgumentParser

/// `duplex-lab down`: takes the lab down and leaves nothing.
struct DownCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "down",
    abstract: "Take the lab down, also a half-built one; leaves nothing behind.",
    discussion: """
      Examples:
        duplex-lab down
        duplex-lab down --state /run/second-lab
      """
  )

  @OptionGroup var options: LabOptions

  func run() async throws {
    if let settings = try LabSettings.reading(state: options.state) {
      try await LabFleet(settings: settings).down()
      print("the lab in \(options.state) is down")
    } else if try await Tool.attempt(["mountpoint", "-q", options.state]).succeeded {
      // Killed before it had written what it is: it had made nothing but its folder.
      try await Tool.run("umount", options.state)
      try await Tool.run("rmdir", options.state)
      print("the lab in \(options.state) is down")
    } else {
      print("no lab is up in \(options.state)")
    }
  }
}
