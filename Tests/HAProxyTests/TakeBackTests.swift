import HAProxy
import Remote
import TestSupport
import Testing

/// Undoing an edit, run for real, where two backends hold lines that could be taken for each other.
struct TakeBackTests {
  private static let top =
    "defaults\n mode tcp\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n"
  private static let direct = " server app1 127.0.0.1:81\n"
  private static let proxied = " server app1 127.0.0.1:8080\n"

  @Test func `an edit that was never made leaves the same line of another backend alone`()
    async throws
  {
    let (result, file) = try await takeBack(from: Self.direct, api: Self.proxied)

    #expect(result == .done)
    #expect(file == Self.file(web: Self.direct, api: Self.proxied))
  }

  @Test func `an edit is taken back although another backend has the same line`() async throws {
    let (result, file) = try await takeBack(from: Self.proxied, api: Self.proxied)

    #expect(result == .done)
    #expect(file == Self.file(web: Self.direct, api: Self.proxied))
  }

  @Test func `a line that moved is found where only one can be meant`() async throws {
    let (result, file) = try await takeBack(
      from: Self.proxied,
      api: " server app2 127.0.0.1:82\n",
      above: "# by others\n"
    )

    #expect(result == .done)
    #expect(
      file == "# by others\n" + Self.file(web: Self.direct, api: " server app2 127.0.0.1:82\n")
    )
  }

  @Test func `a line that moved is left alone where two could be meant`() async throws {
    let (result, file) = try await takeBack(
      from: Self.direct,
      api: Self.proxied,
      above: "# by others\n"
    )

    #expect(
      result
        == .failed(
          .fileChanged,
          said: "it is not clear which line this is now:  server app1 127.0.0.1:8080"
        )
    )
    #expect(file == "# by others\n" + Self.file(web: Self.direct, api: Self.proxied))
  }

  @Test func `a line that is not UTF-8 is taken back byte for byte`() async throws {
    let folder = try TemporaryFolder()
    let start = Array("\(Self.top)listen web\n bind 127.0.0.1:19992\n".utf8)
    let comment = Array(" # caf".utf8) + [0xE9, 0x25, 0x5C]
    let edit = LineEdit(
      line: 8,
      before: Array(Self.direct.utf8.dropLast()) + comment,
      after: Array(Self.proxied.utf8.dropLast()) + comment
    )
    let path = try folder.write(start + edit.after + Array("\n# end\n".utf8), to: "haproxy.cfg")
    var command = Self.process(of: path).takeBack([edit], runtime: [])
    command.script.replace("/var/lib/duplexctl", with: folder.path(of: "record"))

    #expect(HAProxyResult(try await LocalHost().run(command)) == .done)
    #expect(
      try folder.read("haproxy.cfg") == start + edit.before + Array("\n# end\n".utf8)
    )
  }

  private static func process(of path: String) -> HAProxyProcess {
    HAProxyProcess(
      configuration: path,
      sources: [.init(path: path, isFolder: false)],
      executable: "/usr/sbin/haproxy",
      masterPID: 1,
      statsSocket: nil,
      masterSocket: nil,
      client: .perl,
      timeout: .seconds(20)
    )
  }

  private static func file(web: String, api: String) -> String {
    top + "listen web\n bind 127.0.0.1:19992\n" + web + "listen api\n bind 127.0.0.1:19993\n" + api
  }

  /// Takes back "app1 of web goes from 81 to 8080".
  private func takeBack(
    from web: String,
    api: String,
    above: String = ""
  ) async throws -> (HAProxyResult, String) {
    let folder = try TemporaryFolder()
    let text = above + Self.file(web: web, api: api)
    let path = try folder.write(Array(text.utf8), to: "haproxy.cfg")
    let edit = LineEdit(
      line: 8,
      before: Array(Self.direct.utf8.dropLast()),
      after: Array(Self.proxied.utf8.dropLast())
    )

    var command = Self.process(of: path).takeBack([edit], runtime: [])
    command.script.replace("/var/lib/duplexctl", with: folder.path(of: "record"))
    let result = HAProxyResult(try await LocalHost().run(command))
    return (result, String(decoding: try folder.read("haproxy.cfg"), as: UTF8.self))
  }
}
