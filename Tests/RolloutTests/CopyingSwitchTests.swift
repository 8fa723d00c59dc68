import Fleet
import Foundation
import Remote
import Rollout
import TestSupport
import Testing

struct CopyingSwitchTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private var host: Fleet.Host {
    Fleet.Host(
      name: "app1",
      ssh: SSHAddress(address: "127.0.0.1", user: "root"),
      routes: [],
      proxy: ProxySettings(directory: folder.path, adminPort: 9000, runDirectory: folder.path)
    )
  }

  /// A stand-in for the proxy's program: writes down what it was told, says something and ends.
  private func installProgram(saying output: String = "", ending status: Int32) throws {
    try folder.write(output, to: "output")
    let path = try folder.write(
      """
      #!/bin/sh
      echo "$@" >\(folder.path(of: "told"))
      cat \(folder.path(of: "output"))
      exit \(status)

      """,
      to: "duplex-proxy"
    )
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
  }

  private func answer(to order: CopyingSwitch.Order) async throws -> CopyingAnswer {
    CopyingSwitch.reading(try await LocalHost().run(CopyingSwitch.command(order, on: host)))
  }

  @Test(arguments: [CopyingSwitch.Order.off, .on, .status])
  func `the proxy is told by its own client, as the login user`(order: CopyingSwitch.Order)
    async throws
  {
    try installProgram(
      saying: """
        copying off since 2026-11-25T13:04:08Z
        route 10.0.0.21:8080 shadow 10.9.0.5:80 breaker half-open open 1
        route 10.0.0.21:8090 shadow unix:/run/s breaker off open 0

        """,
      ending: 0
    )

    let answer = try await answer(to: order)

    #expect(
      answer
        == .state(
          CopyingState(
            isOn: false,
            since: "2026-11-25T13:04:08Z",
            shadows: [
              .init(route: "10.0.0.21:8080", shadow: "10.9.0.5:80", breaker: "half-open", open: 1),
              .init(route: "10.0.0.21:8090", shadow: "unix:/run/s", breaker: "off", open: 0),
            ]
          )
        )
    )
    #expect(
      String(decoding: try folder.read("told"), as: UTF8.self)
        == "shadow \(order.rawValue) --admin 127.0.0.1:9000 --timeout 5\n"
    )
    #expect(CopyingSwitch.command(order, on: host).privilege == .login)
  }

  @Test func `where no program is installed none runs`() async throws {
    #expect(try await answer(to: .off) == .notRunning)
  }

  @Test(arguments: [nil, "4194400"])
  func `one that is silent does not run where its process is gone`(pid: String?) async throws {
    try installProgram(ending: 2)
    if let pid { try folder.write("\(pid)\n", to: "duplex-proxy.pid") }

    #expect(try await answer(to: .off) == .notRunning)
  }

  @Test func `one that is silent although its process is there is in doubt`() async throws {
    try installProgram(saying: "no answer: timed out\n", ending: 2)
    try folder.write("\(ProcessInfo.processInfo.processIdentifier)\n", to: "duplex-proxy.pid")

    #expect(try await answer(to: .off) == .silent("no answer: timed out"))
  }

  @Test(arguments: [
    (1, "only GET is answered\n", CopyingAnswer.refused("only GET is answered")),
    (64, "", .tooOld),
    (0, "copying maybe since yesterday\n", .unexpected("copying maybe since yesterday")),
    (0, "copying off since x\nroute a\n", .unexpected("copying off since x\nroute a")),
    (0, "", .unexpected("exit status 0")),
    (127, "", .unexpected("exit status 127")),
  ])
  func `any other answer is told apart`(
    status: Int32,
    output: String,
    answer: CopyingAnswer
  ) async throws {
    try installProgram(saying: output, ending: status)

    #expect(try await self.answer(to: .off) == answer)
  }

  @Test func `an order is fulfilled by the state that was asked for, and by nothing doubtful`() {
    let states = [true, false].map {
      CopyingAnswer.state(CopyingState(isOn: $0, since: "", shadows: []))
    }
    let answers = states + [.notRunning, .silent(""), .tooOld, .refused(""), .unexpected("")]

    #expect(answers.map { $0.fulfils(.off) } == [false, true, true, false, false, false, false])
    #expect(answers.map { $0.fulfils(.on) } == [true, false, false, false, false, false, false])
    #expect(answers.map { $0.fulfils(.status) } == [true, true, true, false, false, false, false])
  }
}
