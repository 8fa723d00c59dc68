import HAProxy
import Remote
import TestSupport
import Testing

/// The script that changes haproxy.cfg, run for real; only where it keeps its record is another.
struct EditScriptTests {
  private let folder: TemporaryFolder
  private let process: HAProxyProcess
  private let before = Configuration(Sample.rich.bytes)
  private let edit: LineEdit
  private let after: Configuration

  init() throws {
    folder = try TemporaryFolder()
    let path = try folder.write(before.bytes, to: "etc/haproxy.cfg")
    process = HAProxyProcess(
      configuration: path,
      sources: [.init(path: path, isFolder: false)],
      executable: "/usr/sbin/haproxy",
      masterPID: 1,
      statsSocket: nil,
      masterSocket: nil,
      client: .perl,
      timeout: .seconds(20)
    )
    edit = try #require(try before.rewriting("app/app10", port: 8079))
    after = try before.applying(edit)
  }

  @Test(arguments: [Validation.now, .alreadyPassed])
  func `the file becomes the planned one and keeps its mode`(validation: Validation) async throws {
    try await shell("chmod 604 etc/haproxy.cfg")

    let result = try await run([edit], from: before, to: after, validation)

    #expect(result == .done)
    #expect(try folder.read("etc/haproxy.cfg") == after.bytes)
    #expect(try await shell("ls -A etc; stat -c %a etc/haproxy.cfg") == "haproxy.cfg\n604\n")
    #expect(try await shell("cat record/*") == "\(try await digest(after))\n")
  }

  @Test func `there and back again, every byte is as it was`() async throws {
    #expect(try await run([edit], from: before, to: after) == .done)
    #expect(try await run([edit.inverse], from: after, to: before) == .done)

    #expect(try folder.read("etc/haproxy.cfg") == before.bytes)
  }

  @Test func `a file that is as wished is not written again`() async throws {
    try folder.write(after.bytes, to: "etc/haproxy.cfg")
    let inode = try await shell("stat -c '%i %y' etc/haproxy.cfg")

    #expect(try await run([edit], from: before, to: after) == .done)

    #expect(try await shell("stat -c '%i %y' etc/haproxy.cfg") == inode)
  }

  @Test func `a file that others changed meanwhile is left alone`() async throws {
    let theirs = before.bytes + Array("# a note\n".utf8)
    try folder.write(theirs, to: "etc/haproxy.cfg")

    let result = try await run([edit], from: before, to: after)

    #expect(result == .failed(.fileChanged, said: ""))
    #expect(try folder.read("etc/haproxy.cfg") == theirs)
  }

  @Test func `without edits the file must already be the planned one`() async throws {
    #expect(try await run([], from: before, to: before) == .done)
    #expect(try await run([], from: after, to: after) == .failed(.fileChanged, said: ""))
    #expect(try folder.read("etc/haproxy.cfg") == before.bytes)
  }

  @Test func `what HAProxy would not start with never takes the file's place`() async throws {
    let breaking = LineEdit(line: edit.line, before: edit.before, after: Array("nonsense".utf8))
    let broken = try before.applying(breaking)

    let result = try await run([breaking], from: before, to: broken, .now)

    guard case .failed(.invalidConfiguration, let said) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(said.contains("unknown keyword 'nonsense'"))
    #expect(try folder.read("etc/haproxy.cfg") == before.bytes)
    #expect(try await shell("ls -A etc") == "haproxy.cfg\n")
  }

  @Test func `a result that is not the planned one never takes the file's place`() async throws {
    let result = try await run([edit], from: before, to: Configuration("another"))

    #expect(result == .failed(.wrongResult, said: ""))
    #expect(try folder.read("etc/haproxy.cfg") == before.bytes)
    #expect(try await shell("ls -A etc") == "haproxy.cfg\n")
  }

  @Test func `bytes that are no text, quotes and percent signs are written as they are`()
    async throws
  {
    let odd = Array("  server a 1.2.3.4:80 # it's 100%s \\n \"$HOME\" `id` ".utf8) + [0xFF, 0, 13]
    let document = Configuration(Array("backend b\n".utf8) + odd + [10, 0xFE, 10])
    try folder.write(document.bytes, to: "etc/haproxy.cfg")
    let edit = try #require(try document.rewriting("b/a", port: 8079))
    let edited = try document.applying(edit)

    #expect(try await run([edit], from: document, to: edited) == .done)

    #expect(try folder.read("etc/haproxy.cfg") == edited.bytes)
  }

  private func run(
    _ edits: [LineEdit],
    from: Configuration,
    to: Configuration,
    _ validation: Validation = .alreadyPassed
  ) async throws -> HAProxyResult {
    var command = process.edit(
      edits,
      from: try await digest(from),
      to: try await digest(to),
      validation: validation,
      runtime: []
    )
    command.script.replace("/var/lib/duplexctl", with: folder.path(of: "record"))
    return HAProxyResult(try await LocalHost().run(command))
  }

  private func digest(_ document: Configuration) async throws -> String {
    let command = RemoteCommand(
      "sha256sum | cut -c1-64",
      input: .bytes(document.bytes, description: "haproxy.cfg"),
      timeout: .seconds(10)
    )
    return String(try await LocalHost().run(command).text.prefix(64))
  }

  @discardableResult
  private func shell(_ script: String) async throws -> String {
    let command = RemoteCommand("cd \(folder.path) && \(script)", timeout: .seconds(10))
    return try await LocalHost().run(command).text
  }
}
