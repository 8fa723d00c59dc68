import Fleet
import Remote
import Rollout
import TestSupport
import Testing

/// The scripts for a host, run for real in a folder of the test's own.
struct HostCommandsTests {
  private let folder: TemporaryFolder
  private let commands: HostCommands
  private let files: [HostFile]
  private let executable = Executable(
    bytes: Array("#!/bin/sh\n".utf8),
    sha256: "a8076d3d28d21e02012b20eaf7dbf75409a6277134439025f282e368e3305abf",
    architecture: "x86_64"
  )

  init() throws {
    folder = try TemporaryFolder()
    let proxy = ProxySettings(
      directory: folder.path(of: "opt/proxy"),
      monitDirectory: folder.path(of: "monit"),
      runDirectory: folder.path(of: "run")
    )
    let paths = HostPaths(proxy)
    commands = HostCommands(
      Host(
        name: "app1",
        ssh: SSHAddress(address: "10.9.0.5", user: "root"),
        routes: [],
        proxy: proxy
      )
    )
    files = [
      HostFile(
        path: paths.configuration,
        mode: 0o640,
        contents: Array("it's new\n\n".utf8),
        description: "the proxy's configuration"
      ),
      HostFile(
        path: paths.controlFile,
        mode: 0o600,
        contents: Array("check\n".utf8),
        description: "monit's control file"
      ),
    ]
  }

  @Test func `an upload is there under the name of its content, and may be run`() async throws {
    try await run(commands.upload(executable))

    #expect(try await tree() == ["755 opt/proxy/duplex-proxy-a8076d3d28d2 #!/bin/sh"])

    try await run(commands.removeExecutable(sha256: executable.sha256))

    #expect(try await tree() == [])
  }

  @Test func `an upload that arrives damaged leaves nothing behind`() async throws {
    var command = commands.upload(executable)
    command.input = .bytes(Array(executable.bytes.dropLast()), description: "cut off")

    let result = try await LocalHost().run(command)

    #expect(result.termination == .exited(HostCommands.Ending.damaged.rawValue))
    #expect(try await tree() == [])
  }

  @Test func `files are installed with their modes, and taken away where nothing was`()
    async throws
  {
    try folder.write("other\n", to: "monit/other")

    try await run(commands.install(files, executable: executable))

    #expect(
      try await tree().filter { !$0.contains("previous/mark") } == [
        "600 monit/duplex-proxy check", "644 monit/other other",
        "link opt/proxy/duplex-proxy duplex-proxy-a8076d3d28d2",
        "640 opt/proxy/duplex-proxy.conf it's new",
        "644 opt/proxy/previous/link ",
      ]
    )

    try await run(commands.restore(files, executable: executable))

    #expect(try await tree() == ["644 monit/other other"])
  }

  @Test func `what was there before comes back, byte for byte and mode for mode`() async throws {
    try await layOldVersion()
    let before = try await tree()

    try await run(commands.install(files, executable: executable))

    #expect(try await tree() != before)
    try await run(commands.restore(files, executable: executable))
    #expect(try await tree() == before)
  }

  @Test func `an install that breaks off is taken back without loss of what it had not reached`()
    async throws
  {
    try await layOldVersion()
    let before = try await tree()
    let unwritable = HostFile(
      path: folder.path(of: "nowhere/file"),
      mode: 0o644,
      contents: [],
      description: "a file"
    )

    let result = try await LocalHost().run(
      commands.install([unwritable] + files, executable: executable)
    )

    #expect(!result.succeeded)
    try await run(commands.restore([unwritable] + files, executable: executable))
    #expect(try await tree() == before)
  }

  @Test func `a restore where nothing was installed changes nothing`() async throws {
    try await layOldVersion()
    let before = try await tree()

    try await run(commands.restore(files, executable: executable))

    #expect(try await tree() == before)
  }

  @Test func `an install that never began is not taken back to what an earlier one kept`()
    async throws
  {
    try await layOldVersion()
    try await run(commands.install(files, executable: executable))
    let before = try await tree()
    var later = files
    later[0].contents = Array("newer\n".utf8)

    try await run(commands.restore(later, executable: executable))

    #expect(try await tree() == before)
  }

  @Test func `a reload's files are installed and taken back with the executable as it is`()
    async throws
  {
    try await layOldVersion()
    let before = try await tree()

    try await run(commands.install(files, executable: nil))

    #expect(
      try await tree().filter { !$0.contains("previous/") } == [
        "600 monit/duplex-proxy check", "link opt/proxy/duplex-proxy old",
        "640 opt/proxy/duplex-proxy.conf it's new",
      ]
    )
    try await run(commands.restore(files, executable: nil))
    #expect(try await tree() == before)
  }

  @Test(arguments: [false, true])
  func `a configuration that comes back is newer than a proxy that has read what it replaces`(
    _ isRead: Bool
  ) async throws {
    try await layOldVersion()
    try folder.write("1\n", to: "run/duplex-proxy.pid")

    try await run(commands.install(files, executable: nil))
    if isRead { try folder.write("1\n", to: "run/duplex-proxy.pid") }
    try await run(commands.restore(files, executable: nil))

    let look = RemoteCommand(
      "cd \(folder.path); [ opt/proxy/duplex-proxy.conf -nt run/duplex-proxy.pid ]",
      timeout: .seconds(10)
    )
    #expect(try await LocalHost().run(look).succeeded == isRead)
  }

  private func layOldVersion() async throws {
    try folder.write("old\n", to: "opt/proxy/duplex-proxy.conf")
    try folder.write("old check\n", to: "monit/duplex-proxy")
    try await run(
      RemoteCommand(
        "cd \(folder.path); chmod 604 monit/duplex-proxy; ln -s old opt/proxy/duplex-proxy",
        timeout: .seconds(10)
      )
    )
  }

  private func run(_ command: RemoteCommand) async throws {
    let result = try await LocalHost().run(command)
    #expect(result == CommandResult(termination: .exited(0)))
  }

  /// Every file and link in the folder: its mode, its name, its first line.
  private func tree() async throws -> [String] {
    let command = RemoteCommand(
      """
      cd \(folder.path)
      find . -type f -o -type l | LC_ALL=C sort | while read -r file; do
        name=${file#./}
        if [ -L "$file" ]; then echo "link $name $(readlink "$file")"
        else echo "$(stat -c %a "$file") $name $(head -n 1 "$file")"
        fi
      done
      """,
      timeout: .seconds(10)
    )
    let result = try await LocalHost().run(command)
    return result.text.split(separator: "\n").map(String.init)
  }
}
