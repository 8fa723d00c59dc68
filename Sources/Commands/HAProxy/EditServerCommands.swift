import ArgumentParser
import Fleet
import HAProxy
import Rollout

/// `duplexctl haproxy remove`.
struct RemoveServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove",
    abstract: "Comment a server line out (--file), or take a host out of rotation."
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
    abstract: "Take our mark off a server line (--file), or put a host back into rotation."
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
      return try await RolloutStory(wish: wish, limit: name, options: options).run()
    }
    try options.refuseForLocalFile()
    let id = try ServerID(argument: name)
    try LocalConfiguration(path: file).edit { document throws(EditRefusal) in
      try edit(document, id)
    }
  }
}

/// `duplexctl haproxy rewrite`.
struct RewriteServerCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rewrite",
    abstract: "Change the port of a server line's address in a local file."
  )

  @Argument(help: "BACKEND/SERVER.")
  var name: String

  @Option(help: "The new port.")
  var port: Int

  @OptionGroup var options: FileOptions

  func run() async throws {
    let id = try ServerID(argument: name)
    let port = port
    try LocalConfiguration(path: options.file).edit { document throws(EditRefusal) in
      try document.rewriting(id, port: port)
    }
  }
}

extension RunOptions {
  /// A local file is edited at once, so that what would have to hold back must not be ignored.
  fileprivate func refuseForLocalFile() throws {
    guard !dryRun else {
      throw ValidationError("--dry-run goes with the fleet; with --file, work on a copy.")
    }
    guard inventory.output == .text else {
      throw ValidationError("--output json goes with the fleet; --file prints a diff.")
    }
  }
}

extension ServerID {
  fileprivate init(argument: String) throws {
    guard let id = ServerID(argument) else {
      throw ValidationError("\(argument) is not BACKEND/SERVER.")
    }
    self = id
  }
}
