import HAProxy
import Remote
import TestSupport
import Testing

/// Silence is no proof: neither that sessions ended, nor that old workers did.
struct DeafHAProxyTests {
  @Test(arguments: [SocketClient.socat, .perl])
  func `a drain whose counters cannot be read is not done`(client: SocketClient) async throws {
    let process = try deaf(client)

    let result = HAProxyResult(
      try await LocalHost().run(process.drain(["app/app1"], deadline: .seconds(1)))
    )

    guard case .failed(.runtimeRefused, let said) = result else {
      Issue.record("\(result)")
      return
    }
    #expect(said.hasSuffix("HAProxy does not say what sessions are left"))
  }

  @Test func `a master that does not answer may still have old workers`() async throws {
    let result = try await LocalHost().run(deaf(.perl).awaitOldWorkers(deadline: .seconds(1)))

    #expect(
      HAProxyResult(result)
        == .failed(.oldWorkersLeft, said: "old workers: unknown, the master does not answer")
    )
  }

  private func deaf(_ client: SocketClient) throws -> HAProxyProcess {
    HAProxyProcess(
      configuration: "/nonexistent/haproxy.cfg",
      sources: [],
      executable: "/usr/sbin/haproxy",
      masterPID: 1,
      statsSocket: "/nonexistent/admin.sock",
      masterSocket: "/nonexistent/master.sock",
      client: client,
      timeout: .seconds(20)
    )
  }
}
