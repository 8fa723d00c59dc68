import Foundation
import TestSupport
import Testing
import Workspace

struct JournalTests {
  private let folder: TemporaryFolder
  private let journals: JournalFolder

  init() throws {
    folder = try TemporaryFolder()
    journals = JournalFolder(path: folder.path(of: "state/journal"))
  }

  @Test func `lines come back as they were written, run by run`() async throws {
    let first = try journals.begin(run: "2026-01-02T03:04:05Z")
    let second = try journals.begin(run: "2026-01-01T03:04:05Z")
    try await first.append(line: Array("{\"a\":1}".utf8))
    try await first.append(line: Array("{\"a\":2}".utf8), .handedOver)
    try await second.append(line: [])

    let runs = try journals.runs()
    let lines = try journals.lines(of: "2026-01-02T03:04:05Z")

    #expect(runs == ["2026-01-01T03:04:05Z", "2026-01-02T03:04:05Z"])
    #expect(lines.map { String(decoding: $0, as: UTF8.self) } == ["{\"a\":1}", "{\"a\":2}"])
    #expect(try journals.lines(of: "2026-01-01T03:04:05Z") == [[]])
  }

  @Test func `a last line that was cut off is left out`() async throws {
    let journal = try journals.begin(run: "one")
    try await journal.append(line: Array("whole".utf8))
    let torn = try folder.read("state/journal/one.jsonl") + Array("to".utf8)
    try folder.write(torn, to: "state/journal/one.jsonl")

    #expect(try journals.lines(of: "one") == [Array("whole".utf8)])
  }

  @Test func `a journal is for its owner's eyes only`() async throws {
    let journal = try journals.begin(run: "one")

    let modes = try [journal.path, journals.path].map { path in
      try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
    }

    #expect(modes == [0o600, 0o700])
  }

  @Test func `a run's journal is begun once`() async throws {
    _ = try journals.begin(run: "one")

    let problem = #expect(throws: FileProblem.self) { try journals.begin(run: "one") }

    #expect(
      problem
        == FileProblem(
          path: "\(journals.path)/one.jsonl",
          attempt: "begin the journal",
          detail: "File exists"
        )
    )
  }

  @Test func `where nothing ran, there are no runs`() throws {
    #expect(try journals.runs() == [])
  }

  @Test(arguments: [
    (["DUPLEXCTL_STATE": "/var/s", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/var/s/journal"),
    (["DUPLEXCTL_STATE": "s", "HOME": "/h"], "/here/s/journal"),
    (["DUPLEXCTL_STATE": "", "XDG_STATE_HOME": "/x", "HOME": "/h"], "/x/duplexctl/journal"),
    (["HOME": "/h"], "/h/.local/state/duplexctl/journal"),
  ])
  func `journals lie in the operator's state folder`(variables: [String: String], path: String) {
    let machine = OperatorMachine(environment: variables, folder: "/here", executable: "/bin/d")

    #expect(JournalFolder(on: machine).path == path)
  }
}
