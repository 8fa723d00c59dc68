import Engine
import Fleet
import Remote
import TestSupport
import Testing

struct MachinesTests {
  private let command = RemoteCommand("true", timeout: .seconds(1))

  @Test func `a conversation is opened once and used again`() async throws {
    let host = ScriptedHost("app1", expecting: [.init(command), .init(command)])
    let connector = Connector(["app1": [host]])
    let machines = Machines(connector: connector)

    _ = try await machines.run(command, on: "app1")
    _ = try await machines.run(command, on: "app1")

    #expect(await connector.connections == ["app1"])
    await host.expectNothingLeft()
  }

  @Test func `a command whose answer was lost is not sent again by itself`() async throws {
    let silence = RemoteError(.connectionLost, detail: "silence")
    let lost = ScriptedHost("app1", expecting: [.init(command, .failure(silence))])
    let again = ScriptedHost("app1", expecting: [.init(command, exits: 3)])
    let connector = Connector(["app1": [lost, again]])
    let machines = Machines(connector: connector)

    await #expect(throws: silence) { try await machines.run(command, on: "app1") }

    #expect(await lost.isClosed)
    #expect(await connector.connections == ["app1"])
    #expect(try await machines.run(command, on: "app1").termination == .exited(3))
    await again.expectNothingLeft()
  }

  @Test func `all conversations are ended`() async throws {
    let app1 = ScriptedHost("app1", expecting: [.init(command)])
    let lb1 = ScriptedHost("lb1", expecting: [.init(command)])
    let machines = Machines(connector: Connector(["app1": [app1], "lb1": [lb1]]))
    _ = try await machines.run(command, on: "app1")
    _ = try await machines.run(command, on: "lb1")

    await machines.closeAll()

    #expect(await app1.isClosed)
    #expect(await lb1.isClosed)
  }
}
