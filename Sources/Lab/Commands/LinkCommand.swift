import ArgumentParser

/// `duplex-lab link NEAR FAR`: the process behind `up --delay-ms`; nobody calls it by hand.
struct LinkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "link",
    abstract: "Carry frames between two interfaces, each after a delay.",
    shouldDisplay: false
  )

  @Argument var near: String
  @Argument var far: String
  @Option(name: .customLong("delay-ms")) var delayMilliseconds: Int

  func run() throws {
    var link = try DelayedLink(from: near, to: far, milliseconds: delayMilliseconds)
    link.carry()
  }
}
