import ArgumentParser

/// `duplex-lab exec HOST -- CMD…`: a command in the host's namespaces, without SSH.
struct ExecCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "exec",
    abstract: "Run a command on a host, through its namespaces.",
    discussion: """
      Examples:
        duplex-lab exec lb1 -- cat /etc/haproxy/haproxy.cfg
      """
  )

  @OptionGroup var options: LabOptions
  @Argument var host: String
  @Argument(parsing: .postTerminator) var command: [String] = []

  func run() async throws {
    let host = try options.fleet().settings.host(host)
    guard let pid = host.initProcess else { throw LabError("\(host.name) is off") }
    guard !command.isEmpty else { throw ValidationError("Which command? exec HOST -- CMD…") }
    let status = try await Tool.runInForeground(
      ["nsenter", "-t", String(pid), "-m", "-p", "-n", "-u", "-i", "-r", "-w"] + command
    )
    throw ExitCode(status)
  }
}

/// `duplex-lab ssh HOST -- CMD…`: as an operator would.
struct SSHCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ssh",
    abstract: "Log in to a host, or run a command there, over SSH.",
    discussion: """
      Examples:
        duplex-lab ssh app1
        duplex-lab ssh app1 --user deploy -- sudo -n id
      """
  )

  @OptionGroup var options: LabOptions
  @Option(help: "Whom to log in as: root or deploy.") var user = "root"
  @Argument var host: String
  @Argument(parsing: .postTerminator) var command: [String] = []

  func run() async throws {
    let settings = try options.fleet().settings
    let host = try settings.host(host)
    let status = try await Tool.runInForeground(
      [
        "ssh", "-i", settings.keyFile, "-o", "IdentitiesOnly=yes", "-o",
        "UserKnownHostsFile=\(settings.knownHostsFile)", "-o", "StrictHostKeyChecking=yes",
        "-o", "LogLevel=ERROR", "\(user)@\(host.address)",
      ] + command
    )
    throw ExitCode(status)
  }
}
