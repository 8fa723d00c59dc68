import ArgumentParser

/// `duplexctl haproxy`: server lines of haproxy.cfg, in a local file or on the fleet's balancers.
struct HAProxyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "haproxy",
    abstract: "List, remove, rewrite and add server lines of haproxy.cfg.",
    discussion: """
      With --file, a local file is edited, byte for byte but for what is meant. Without it, remove \
      and add take a host of the inventory out of its balancers' rotation, drained, and put it back.

      Examples:
        duplexctl haproxy list --file haproxy.cfg --output json
        duplexctl haproxy remove --file haproxy.cfg app/app1
        duplexctl haproxy rewrite --file haproxy.cfg app/app1 --port 8080
        duplexctl haproxy add --file haproxy.cfg app/app1
        duplexctl haproxy remove app2
      """,
    subcommands: [
      ListServersCommand.self, RemoveServerCommand.self, RewriteServerCommand.self,
      AddServerCommand.self,
    ]
  )
}

struct FileOptions: ParsableArguments {
  @Option(help: "The local haproxy.cfg.", completion: .file())
  var file: String
}
