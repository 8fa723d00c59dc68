import ArgumentParser

/// `duplex-lab inventory`: this lab as duplexctl's inventory.
struct InventoryCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inventory",
    abstract: "Print this lab as an inventory for duplexctl -i.",
    discussion: """
      Examples:
        duplex-lab inventory > lab.yml
        duplex-lab inventory --user deploy --apply reload > lab.yml
      """
  )

  @OptionGroup var options: LabOptions

  @Option(help: "How edits reach HAProxy: auto, runtime or reload.")
  var apply = "auto"

  @Option(help: "Whom duplexctl logs in as: root, or deploy (with sudo).")
  var user = "root"

  func run() async throws {
    print(LabInventory(settings: try options.fleet().settings, apply: apply, user: user).text)
  }
}

/// The inventory of a lab, in duplexctl's format.
struct LabInventory {
  let settings: LabSettings
  let apply: String
  let user: String

  var text: String {
    let hosts = settings.hosts
    let balancers = hosts.filter { $0.kind == .balancer }.map { host in
      """
        \(host.name):
          address: \(host.address)
          backends: [app]
          apply: \(apply)
      """
    }
    let apps = hosts.filter { $0.kind == .app }.map { "  \($0.name):\n    address: \($0.address)" }
    let shadows = hosts.filter { $0.kind == .shadow }.map { "\($0.address):80" }
    return """
      # The lab in \(settings.state), as it is up now.
      defaults:
        ssh:
          user: \(user)
          sudo: \(user != "root")
          keys: [\(settings.keyFile)]
          agent: false
          known-hosts: [\(settings.knownHostsFile)]
        routes:
          web:
            # The proxy listens here; HAProxy is pointed at it.
            listen: 8080
            # The real server, on the same host.
            primary: 127.0.0.1:81
            # Gets a copy of every byte; its answers are thrown away.
            shadow: \(shadows[0])
            backend: app

      balancers:
      \(balancers.joined(separator: "\n"))

      hosts:
      \(apps.joined(separator: "\n"))
      """
  }
}
