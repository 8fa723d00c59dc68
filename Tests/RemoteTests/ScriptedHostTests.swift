import Remote
import TestSupport
import Testing

struct ScriptedHostTests {
  private let look = RemoteCommand("look", timeout: .seconds(1))
  private let act = RemoteCommand("act", timeout: .seconds(1))

  @Test func `it answers what it was told of, in order`() async throws {
    let host = ScriptedHost(expecting: [
      .init(look, output: "calm"),
      .init(act, .failure(RemoteError(.timedOut, detail: "slow"))),
    ])

    #expect(try await host.run(look).text == "calm")
    await #expect(throws: RemoteError(.timedOut, detail: "slow")) { try await host.run(act) }
    await host.expectNothingLeft()
    #expect(await host.commands == [look, act])
  }

  @Test func `a command it was not told of fails the test, and nothing is answered after it`() async
  {
    let host = ScriptedHost(expecting: [.init(look), .init(act)])

    await withKnownIssue {
      await #expect(throws: RemoteError.self) { try await host.run(act) }
    }

    await #expect(throws: RemoteError.self) { try await host.run(act) }
    #expect(await host.commands == [act, act])
  }

  @Test func `a command that never came fails the test`() async {
    let host = ScriptedHost(expecting: [.init(look)])

    await withKnownIssue { await host.expectNothingLeft() }
  }

  @Test func `a closed machine answers nothing`() async {
    let host = ScriptedHost(answering: { _ in .success(CommandResult(termination: .exited(0))) })

    await host.close()

    await #expect(throws: RemoteError.self) { try await host.run(look) }
  }
}
