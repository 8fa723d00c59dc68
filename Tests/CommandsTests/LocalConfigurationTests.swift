import Foundation
import Remote
import TestSupport
import Testing

/// `duplexctl haproxy …  --file`, as a person runs it, with the real `haproxy -c`.
struct LocalConfigurationTests {
  private static let program = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: ".build/debug/duplexctl").path
  private let folder: TemporaryFolder
  private static let text = """
    global
    \tmaxconn 100
    listen app
    \tbind 127.0.0.1:9
    \ttimeout connect 1s
    \ttimeout client 1s
    \ttimeout server 1s
      server  a 10.9.0.5:80 check  # rack 1
    \tserver b "10.9.0.6:80"
    peers mesh
    \tpeer a 10.9.0.5:1024

    """

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(Self.text, to: "real.cfg")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path(of: "haproxy.cfg"),
      withDestinationPath: "real.cfg"
    )
  }

  private func haproxy(_ words: String) async throws -> CommandResult {
    try await LocalHost().run(
      RemoteCommand(
        "cd \(folder.path) && exec \(Self.program) haproxy \(words) --file haproxy.cfg",
        timeout: .seconds(20)
      )
    )
  }

  private var text: String {
    get throws { String(decoding: try folder.read("real.cfg"), as: UTF8.self) }
  }

  @Test func `a line is taken out, moved and put back, through a symlink, and keeps its mode`()
    async throws
  {
    let path = folder.path(of: "real.cfg")
    try FileManager.default.setAttributes([.posixPermissions: 0o604], ofItemAtPath: path)

    #expect(try await haproxy("remove app/a").succeeded)
    #expect(try text.contains("\n#duplexctl-disabled   server  a 10.9.0.5:80 check  # rack 1\n"))
    #expect(try await haproxy("rewrite app/a --port 8080").succeeded)
    #expect(try await haproxy("add app/a").succeeded)

    #expect(try text == Self.text.replacing("10.9.0.5:80 ", with: "10.9.0.5:8080 "))
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(attributes[.posixPermissions] as? Int == 0o604)
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: folder.path(of: "haproxy.cfg"))
        == "real.cfg"
    )
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        == ["haproxy.cfg", "real.cfg"]
    )
  }

  @Test func `the list is JSON with the keys that scripts rely on`() async throws {
    let listed = try await haproxy("list --output json")

    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(listed.output)) as? [NSDictionary]
    )
    #expect(
      rows == [
        [
          "section": "listen", "backend": "app", "server": "a", "line": 8,
          "address": "10.9.0.5:80", "port": 80, "state": "enabled",
        ],
        [
          "section": "listen", "backend": "app", "server": "b", "line": 9,
          "address": "10.9.0.6:80", "port": 80, "state": "enabled",
        ],
      ]
    )
  }

  @Test(arguments: [
    ("remove app/c", "haproxy.cfg: there is no server line app/c"),
    ("remove mesh/a", "there is no server line mesh/a"),
    ("rewrite app/a --port 70000", "70000 is no port"),
    ("remove nonsense", "nonsense is not BACKEND/SERVER"),
  ])
  func `what cannot be done is refused with the reason, and the file stays`(
    words: String,
    reason: String
  ) async throws {
    let result = try await haproxy(words)

    #expect(!result.succeeded)
    #expect(result.errorText.contains(reason), "\(result.errorText)")
    #expect(try text == Self.text)
  }

  @Test func `the last server of a section is named with its line`() async throws {
    #expect(try await haproxy("remove app/a").succeeded)
    let before = try text

    let result = try await haproxy("remove app/b")

    #expect(result.termination == .exited(1))
    #expect(result.errorText.contains("haproxy.cfg:9: app/b is the last usable server of app"))
    #expect(try text == before)
  }

  @Test func `what haproxy would not start with is refused in its words`() async throws {
    let broken = Self.text + "backend other\n\tnonsense\n"
    try folder.write(broken, to: "real.cfg")

    let result = try await haproxy("remove app/a")

    #expect(result.termination == .exited(1))
    #expect(result.errorText.contains("nonsense"), "\(result.errorText)")
    #expect(try text == broken)
  }

  @Test func `a file that is not there is named`() async throws {
    try FileManager.default.removeItem(atPath: folder.path(of: "real.cfg"))

    let result = try await haproxy("list")

    #expect(result.termination == .exited(1))
    #expect(result.errorText.contains("haproxy.cfg: No such file or directory"))
  }
}
