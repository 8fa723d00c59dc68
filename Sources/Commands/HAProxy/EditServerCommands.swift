import ArgumentParser
import Fleet
import HAProxy
import Rollout

/// `duplexctl haproxy remove`.
struct RemoveServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Comment a server line out (--file), or take a host out of rotation.",
    discussion: """
      Refused where others need the server, or no other would be left to take its requests. Nothing is done \
      on the host itself, which may be dead.

      Examples:
        duplexctl haproxy remove app2
        duplexctl haproxy remove app2 --dry-run
        duplexctl haproxy remove --file haproxy.cfg app/app1

      Exit status: 0 done, 1 refused or failed and put back, 2 failed and a machine needs hands, \
      64 wrong usage or inventory.
      """
  )

  @OptionGroup var chosen: ServerOrHost

  func run() async throws {
    try await chosen.apply(onFleet: .takenOut) { document, id throws(EditRefusal) in
      try document.removing(id)
    }
  }
}

/// `duplexctl haproxy add`.
struct AddServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "add",
    abstract: "Take our mark off a server line (--file), or put a host back into rotation.",
    discussion: """
      Only lines that `remove`, or a rollout, has commented out are ever put back.

      Examples:
        duplexctl haproxy add app2
        duplexctl haproxy add --file haproxy.cfg app/app1 --output json
      """
  )

  @OptionGroup var chosen: ServerOrHost

  func run() async throws {
    try await chosen.apply(onFleet: .putBack) { document, id throws(EditRefusal) in
      try document.adding(id)
    }
  }
}

/// A server line of a local file, or a host of the fleet with all its server lines.
struct ServerOrHost: ParsableArguments {
  @Argument(help: "BACKEND/SERVER with --file, else a host of the inventory.")
  var name: String

  @Option(help: "The local haproxy.cfg.", completion: .file())
  var file: String?

  @OptionGroup var options: RunOptions

  func apply(
    onFleet wish: Wish,
    locally edit: (Configuration, ServerID) throws(EditRefusal) -> LineEdit?
  ) async throws {
    guard let file else {
      guard ServerID(name) == nil else {
        throw UsageError.refusal("BACKEND/SERVER goes with --file; on the fleet, name a host")
      }
      return try await RolloutStory(wish: wish, limit: name, options: options).run()
    }
    try options.refuseForLocalFile()
    let id = try ServerID(argument: name)
    try LocalConfiguration(path: file).edit(as: options.inventory.output) {
      document throws(EditRefusal) in
      try edit(document, id)
    }
  }
}

/// `duplexctl haproxy rewrite`.
struct RewriteServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrite",
    abstract: "Change the port of a server line's address in a local file.",
    discussion: """
      On the fleet that is a part of a rollout.

      Examples:
        duplexctl haproxy rewrite --file haproxy.cfg app/app1 --port 8080
      """
  )

  @Argument(help: "BACKEND/SERVER.")
  var name: String

  @Option(help: "The new port.")
  var port: Int

  @OptionGroup var options: FileOptions

  @Option(help: "How the result is written: text or json.")
  var output: OutputFormat = .text

  func run() async throws {
    let id = try ServerID(argument: name)
    let port = port
    try LocalConfiguration(path: options.file).edit(as: output) { document throws(EditRefusal) in
      try document.rewriting(id, port: port)
    }
  }
}

extension RunOptions {
  /// A local file is edited at once, so that what would have to hold back must not be ignored.
  fileprivate func refuseForLocalFile() throws {
    guard !dryRun else {
      throw UsageError.refusal("--dry-run goes with the fleet; with --file, work on a copy")
    }
  }
}

extension ServerID {
  fileprivate init(argument: String) throws {
    guard let id = ServerID(argument) else {
      throw UsageError.refusal("\(argument) is not BACKEND/SERVER")
    }
    self = id
  }
}
