import ArgumentParser
import Workspace

/// `duplexctl init`: begins an inventory.
struct InitCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Begin an inventory: write a commented one, and the templates, into a folder.",
    discussion: """
      Writes inventories/production.yml and templates/ into the folder, which is made where there \
      is none. What is there already is never overwritten: the rest is written beside it.

      Examples:
        duplexctl init
        duplexctl init my-fleet
      """
  )

  @Argument(help: "The folder; default: the current one.", completion: .directory)
  var folder = "."

  func run() async throws {
    let machine = OperatorMachine.current()
    let path = machine.absolute(folder, from: machine.folder)
    let bundle = Bundle(machine: machine, inventoryFolder: nil)
    let written = try NewWorkspace(folder: path, bundle: bundle).write()
    print(Self.report(written, in: folder))
  }

  /// What was written, and what to do next.
  static func report(_ files: NewWorkspace.Written, in folder: String) -> String {
    let prefix = folder == "." ? "" : "\(folder)/"
    let inventory = prefix + NewWorkspace.inventory
    let lines =
      files.written.map { "wrote \(prefix)\($0)" }
      + files.kept.map { "kept  \(prefix)\($0), which was there" }
    return """
      \(lines.joined(separator: "\n"))

      Next:
        1. Write your balancers, hosts and routes into \(inventory).
        2. duplexctl check -i \(inventory)
           only looks, and says what is still missing.
        3. duplexctl rollout enable -i \(inventory) --dry-run
           prints every command for every machine, and changes nothing.
      """
  }
}
