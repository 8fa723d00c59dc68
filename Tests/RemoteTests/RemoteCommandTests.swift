import Remote
import TestSupport
import Testing

struct RemoteCommandTests {
  @Test(
    arguments: [
      (RemoteCommand.Privilege.login, Elevation.alreadyRoot, "/bin/sh -c 'echo \"$USER\"'"),
      (.login, .sudo, "/bin/sh -c 'echo \"$USER\"'"),
      (.root, .alreadyRoot, "/bin/sh -c 'echo \"$USER\"'"),
      (.root, .sudo, "sudo -n /bin/sh -c 'echo \"$USER\"'"),
    ])
  func `the line sent is a shell's, through sudo where root is wanted and the login is not root`(
    privilege: RemoteCommand.Privilege,
    elevation: Elevation,
    line: String
  ) {
    let command = RemoteCommand("echo \"$USER\"", privilege: privilege, timeout: .seconds(1))

    #expect(command.line(elevation: elevation) == line)
  }

  @Test func `a login shell hands the script on as it is`() async throws {
    let script = "printf '%s|' \"it's\" '$x'\nfor i in 1 2; do printf \"$i\\n\"; done # 'end"
    let inner = RemoteCommand(script, timeout: .seconds(10))
    let outer = RemoteCommand(inner.line(elevation: .alreadyRoot), timeout: .seconds(10))

    let result = try await LocalHost().run(outer)

    #expect(result == CommandResult(termination: .exited(0), output: Array("it's|$x|1\n2\n".utf8)))
  }
}
