import Foundation
import HAProxy
import Remote
import TestSupport
import Testing

/// The files and edits before the judge that counts: `haproxy -c`.
struct RealHAProxyTests {
  @Test(arguments: Sample.allCases)
  func `HAProxy takes the sample as it is`(sample: Sample) async throws {
    let file = try File(Configuration(sample.bytes))

    #expect(try await file.run(file.process.checkAsItIs()) == .done)
  }

  @Test(arguments: Sample.allCases)
  func `HAProxy takes the file after every edit of a switch`(sample: Sample) async throws {
    let original = Configuration(sample.bytes)
    let file = try File(original)
    let removing = try #require(try original.removing(sample.server))
    let removed = try original.applying(removing)
    let rewriting = try #require(try removed.rewriting(sample.server, port: 8079))
    let moved = try removed.applying(rewriting)
    let adding = try #require(try moved.adding(sample.server))
    let added = try moved.applying(adding)

    for document in [removed, moved, added] {
      let edited = try File(document)
      #expect(try await edited.run(edited.process.checkAsItIs()) == .done)
    }
    #expect(
      try await file.run(file.process.validate([[removing], [rewriting], [adding]])) == .done
    )
    #expect(try file.contents == sample.bytes)
  }

  @Test func `a chain is refused at the content that HAProxy would not start with`() async throws {
    let original = Configuration(Sample.debian.bytes)
    let file = try File(original)
    let removing = try #require(try original.removing("app/app1"))
    let breaking = LineEdit(
      line: removing.line,
      before: removing.after,
      after: Array("\tserver app1 nonsense:x".utf8)
    )

    let result = try await file.run(file.process.validate([[removing], [breaking]]))

    guard case .failed(.invalidConfiguration, let said) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(said.hasPrefix("after edit 2:\n"))
    #expect(said.contains("nonsense"))
    #expect(try file.contents == Sample.debian.bytes)
  }

  @Test func `the check has the environment of the process, without the words of its master`()
    async throws
  {
    let document = Configuration("listen b\n  bind 127.0.0.1:9\n  server a \"${DUPLEX_ADDRESS}\"\n")
    #expect(try await File(document).run(File(document).process.checkAsItIs()) != .done)

    let other = Process()
    other.executableURL = URL(filePath: "/bin/sleep")
    other.arguments = ["60"]
    other.environment = ["DUPLEX_ADDRESS": "10.0.0.1:8080", "HAPROXY_MWORKER_REEXEC": "1"]
    try other.run()
    defer { other.terminate() }
    let file = try File(document, process: Int(other.processIdentifier))

    #expect(try await file.run(file.process.checkAsItIs()) == .done)
  }

  @Test func `removing a server that others need is what HAProxy would refuse`() async throws {
    let document = Configuration(Sample.rich.bytes)
    let server = try document.server("other/app1")
    let text = document.text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
      .map { $0 + 1 == server.line ? "#" + $1 : $1 }.joined(separator: "\n")
    let file = try File(Configuration(text))

    let result = try await file.run(file.process.checkAsItIs())

    guard case .failed(.invalidConfiguration, _) = result else {
      Issue.record("\(result)")
      return
    }
  }

  @Test(arguments: [
    "server a 10.0.0.1:80 \"", "server a 10.0.0.1:80 '", "server \"a 10.0.0.1:80",
  ])
  func `an unclosed quote is an error to HAProxy, and no byte of it is lost`(
    line: String
  ) async throws {
    let document = Configuration("backend b\n\(line)\n")
    let file = try File(document)

    let result = try await file.run(file.process.checkAsItIs())

    #expect(result != .done)
    #expect(document.text == "backend b\n\(line)\n")
  }
}

/// haproxy.cfg in a folder of the test's own, and a process that would have been started with it.
private struct File {
  private let folder: TemporaryFolder
  let process: HAProxyProcess

  init(_ document: Configuration, process pid: Int = 1) throws {
    folder = try TemporaryFolder()
    let path = try folder.write(document.bytes, to: "haproxy.cfg")
    process = HAProxyProcess(
      configuration: path,
      sources: [.init(path: path, isFolder: false)],
      executable: "/usr/sbin/haproxy",
      masterPID: pid,
      statsSocket: nil,
      masterSocket: nil,
      client: .perl,
      timeout: .seconds(20)
    )
  }

  var contents: [UInt8] {
    get throws { try folder.read("haproxy.cfg") }
  }

  func run(_ command: RemoteCommand) async throws -> HAProxyResult {
    HAProxyResult(try await LocalHost().run(command))
  }
}
