import Foundation
import Remote
import Rollout
import TestSupport
import Testing

@testable import Commands

/// What an order about copying shows, and `duplexctl shadow` as a person runs it.
struct ShadowCommandTests {
  private static let program = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: ".build/debug/duplexctl").path

  private let off = CopyingAnswer.state(
    CopyingState(
      isOn: false,
      since: "2026-11-25T13:04:08Z",
      shadows: [
        .init(route: "10.0.0.21:8080", shadow: "10.9.0.5:80", breaker: "closed", open: 0),
        .init(route: "10.0.0.21:8080", shadow: "10.9.0.6:80", breaker: "open", open: 0),
      ]
    )
  )

  @Test func `the table has a row for each shadow, and says where no proxy runs`() {
    let output = ShadowOutput(
      order: .off,
      answers: [("app1", off), ("app2", .notRunning)],
      inventory: nil
    )

    #expect(
      output.table == [
        "host  copying      since                 route           shadow       breaker  open copies",
        "app1  off          2026-11-25T13:04:08Z  10.0.0.21:8080  10.9.0.5:80  closed   0",
        "app1  off          2026-11-25T13:04:08Z  10.0.0.21:8080  10.9.0.6:80  open     0",
        "app2  not running  -                     -               -            -        -",
      ]
    )
    #expect(output.failures == [])
    #expect(output.isDone)
  }

  @Test func `a host that is not done is named, with what to type`() {
    let output = ShadowOutput(
      order: .off,
      answers: [
        ("app1", off), ("app2", .tooOld), ("app3", .silent("timed out")),
        ("app4", .unreachable(RemoteError(.timedOut, detail: "10 s"))),
      ],
      inventory: "fleet.yml"
    )

    #expect(!output.isDone)
    #expect(
      output.failures == [
        "error: app2: its proxy has no such switch yet. To deploy this release's: "
          + "duplexctl rollout enable --limit app2 -i fleet.yml",
        "error: app3: a proxy runs, and its admin endpoint does not answer. It said: timed out. "
          + "To end copying with the proxy itself: duplexctl rollout rollback app3 -i fleet.yml",
        "error: app4: no answer in time: 10 s. Whether it copies is unknown. "
          + "Again: duplexctl shadow off --limit app4 -i fleet.yml",
      ]
    )
  }

  @Test func `on is not done where no proxy runs`() {
    let output = ShadowOutput(order: .on, answers: [("app2", .notRunning)], inventory: nil)

    #expect(
      output.failures == [
        "error: app2: no proxy runs there, so nothing is copied. To start it: "
          + "duplexctl rollout enable --limit app2"
      ]
    )
  }

  /// Nothing listens at port 1, so nobody is logged in to.
  private func duplexctl(_ words: String) async throws -> CommandResult {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      defaults:
        ssh: {user: root, port: 1}
        routes:
          web: {listen: 8080, primary: "127.0.0.1:81", shadow: "10.9.0.5:80", backend: app}
      balancers:
        lb1: {address: 127.0.0.1, backends: [app]}
      hosts:
        app1: {address: 127.0.0.1}
        app2: {address: 127.0.0.2, proxy: {admin-port: 9000}}
      """,
      to: "fleet.yml"
    )
    return try await LocalHost().run(
      RemoteCommand(
        "cd \(folder.path) && exec \(Self.program) shadow \(words) -i fleet.yml",
        timeout: .seconds(20)
      )
    )
  }

  @Test func `a dry run prints the command for each chosen host and reaches for none`()
    async throws
  {
    let result = try await duplexctl("off --dry-run --limit app2")

    #expect(result.succeeded, "\(result.errorText)")
    #expect(
      result.text == """
        # app2: shadow off
            proxy=/opt/duplex-proxy/duplex-proxy
            [ -x "$proxy" ] || exit 20
            "$proxy" shadow off --admin 127.0.0.1:9000 --timeout 5
            status=$?
            [ $status = 2 ] || exit $status
            pid=$(cat /run/duplex-proxy/duplex-proxy.pid 2>/dev/null) && [ -d "/proc/$pid" ] && exit $status
            exit 20

        # Dry run: app2, all at once; nothing was changed.

        """
    )
  }

  @Test func `the JSON has every host, and the exit status says that some are not done`()
    async throws
  {
    let result = try await duplexctl("off --output json")

    #expect(result.termination == .exited(1))
    let rows = try #require(
      try JSONSerialization.jsonObject(with: Data(result.output)) as? [NSDictionary]
    )
    #expect(
      rows == [
        ["host": "app1", "copying": "UNKNOWN", "done": false],
        ["host": "app2", "copying": "UNKNOWN", "done": false],
      ]
    )
    #expect(result.errorText.contains("error: app1: it cannot be reached: "), "\(result.errorText)")
    #expect(
      result.errorText.contains("Again: duplexctl shadow off --limit app2 -i fleet.yml"),
      "\(result.errorText)"
    )
  }

  @Test func `a host that is not in the inventory is wrong usage`() async throws {
    let result = try await duplexctl("on --limit app7")

    #expect(result.termination == .exited(64))
    #expect(result.errorText.contains("the inventory has no host app7"), "\(result.errorText)")
  }
}
