import Testing

@testable import ProxyServer

@Suite struct SupervisionValueTests {
  @Test func `the first restart is immediate, and those of a storm are ever further apart`() {
    var backoff = RestartBackoff()

    let delays = (0..<16).map { _ in backoff.delay(afterLivingFor: 1_000_000) / 1_000_000 }
    let afterCalm = backoff.delay(afterLivingFor: 5_000_000_000)

    #expect(
      delays == [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 5000, 5000]
    )
    #expect(afterCalm == 0)
  }

  @Test func `a life shorter than the wait before the next is no calm`() {
    var backoff = RestartBackoff()
    for _ in 0..<12 { _ = backoff.delay(afterLivingFor: 0) }

    #expect(backoff.delay(afterLivingFor: 300_000_000) == 2_048_000_000)
  }

  private static let passwd = """
    root:x:0:0:root:/root:/bin/sh
    proxy:x:13:14:proxy:/bin:/usr/sbin/nologin
    """
  private static let group = """
    root:x:0:
    proxy:x:14:
    sockets:x:40:www,proxy
    other:x:41:www
    """

  @Test(arguments: [
    ("proxy", UserAccount(user: 13, group: 14, groups: [14, 40])),
    ("proxy:sockets", UserAccount(user: 13, group: 40, groups: [40])),
    ("proxy:99", UserAccount(user: 13, group: 99, groups: [99, 40])),
    ("500:501", UserAccount(user: 500, group: 501, groups: [501])),
    ("500", nil), ("nobody", nil), ("proxy:nogroup", nil),
  ])
  func `a user is who the files say`(_ text: String, _ account: UserAccount?) {
    #expect(UserAccount(text, passwd: Self.passwd, group: Self.group) == account)
  }

  private let state = InheritedState(
    text: ConfigurationText(
      arguments: ["--config", "a b.conf"],
      files: ["a b.conf": "-l 0\n-s /x\n"]
    ),
    account: UserAccount(user: 1, group: 2, groups: [2, 3]),
    listeners: HeldListeners(
      routes: [
        HeldListeners.Held(
          asked: SocketAddress(literal: "::1", port: 0)!,
          address: SocketAddress(literal: "::1", port: 8080)!,
          descriptors: [7, 6]
        )
      ],
      admin: [
        HeldListeners.Held(
          asked: SocketAddress(unixPath: "/run/a b")!,
          address: SocketAddress(unixPath: "/run/a b")!,
          descriptors: [8]
        )
      ]
    ),
    workers: [WorkerProcess(pid: 9, control: 10, phase: .serving, started: 11, deadline: .max)],
    counters: SupervisionCounters(),
    path: "/opt/duplex-proxy",
    executable: 12
  )

  @Test func `what one executable leaves is what the next one finds`() throws {
    let found = try InheritedState(state.bytes)

    #expect(found.bytes == state.bytes)
    #expect(found.text == state.text)
    #expect(found.account == state.account)
    #expect(found.listeners.all == state.listeners.all)
    #expect(found.workers.map(\.deadline) == [.max])
    #expect(found.descriptors == [7, 6, 8, 10, 12])
    #expect(try found.text.configuration() == state.text.configuration())
  }

  @Test func `a state in another form, or cut short, is refused`() {
    var other = state.bytes
    other[InheritedState.format.utf8.count - 1] = UInt8(ascii: "1")

    #expect(throws: Fields.Malformed.self) { try InheritedState(other) }
    for count in state.bytes.indices {
      #expect(throws: Fields.Malformed.self) { try InheritedState(Array(state.bytes[..<count])) }
    }
  }
}
