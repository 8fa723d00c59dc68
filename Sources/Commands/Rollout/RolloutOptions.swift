import ArgumentParser
import Fleet

/// Which inventory.
struct InventoryOptions: ParsableArguments {
  @Option(
    name: [.customShort("i"), .long],
    help: "The inventory; default: $DUPLEXCTL_INVENTORY, else the only one in inventories/.",
    completion: .file(extensions: ["yml", "yaml"])
  )
  var inventory: String?

  @Option(help: "How the result is written: text or json.")
  var output: OutputFormat = .text
}

/// How a plan is run.
struct RunOptions: ParsableArguments {
  @OptionGroup var inventory: InventoryOptions

  @Flag(help: "Print every command for every machine and the changes of haproxy.cfg; do nothing.")
  var dryRun = false

  @Flag(name: [.customShort("y"), .long], help: "Do not ask before changing anything.")
  var yes = false
}

/// Which hosts, and how many together.
struct RolloutOptions: ParsableArguments {
  @OptionGroup var run: RunOptions

  @Option(help: "Only these hosts, separated by commas.")
  var limit: String?

  @Option(help: "How many hosts are switched together: a number, or a share such as 25%.")
  var batch: BatchArgument?
}

enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
  case text
  case json
}

struct BatchArgument: ExpressibleByArgument {
  let size: Inventory.BatchSize

  init?(argument: String) {
    guard let size = Inventory.BatchSize(written: argument) else { return nil }
    self.size = size
  }
}
