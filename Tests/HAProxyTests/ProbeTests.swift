import Foundation
import HAProxy
import Remote
import TestSupport
import Testing

/// What the balancer's probe makes of a port, with each program that it may be made by.
struct ProbeTests {
  static let clients = SocketClient.allCases.filter { client in
    ["/usr/bin", "/bin", "/usr/local/bin"].contains { folder in
      FileManager.default.isExecutableFile(atPath: "\(folder)/\(client.rawValue)")
    }
  }

  @Test(arguments: clients)
  func `a port that keeps connections open, or answers, is reached`(client: SocketClient)
    async throws
  {
    let ports = try [Port(.keepsOpen), Port(.speaksFirst)]

    let result = try await probe(ports, client)

    #expect(result == .done)
    withExtendedLifetime(ports) {}
  }

  @Test(arguments: clients)
  func `a port that resets, closes or refuses at once is named, and the others are not`(
    client: SocketClient
  ) async throws {
    let ports = try [Port(.resets), Port(.keepsOpen), Port(.closes), Port(.refuses)]

    let result = try await probe(ports, client)

    guard case .failed(.notReachable, let said) = result else {
      Issue.record("\(result)")
      return
    }
    // Above it the program may have said why.
    let last = said.split(separator: "\n").last ?? ""
    let named = Set(last.split(separator: " ").filter { $0.hasPrefix("127.0.0.1:") })
    #expect(named == Set([0, 2, 3].map { "127.0.0.1:\(ports[$0].number)"[...] }), "\(said)")
  }

  @Test(arguments: clients)
  func `of a port that lets everybody in, a connection is enough`(client: SocketClient) async throws
  {
    let ports = try [Port(.closes), Port(.keepsOpen)]

    #expect(try await probe(ports, client, choosesClients: false) == .done)
    withExtendedLifetime(ports) {}
  }

  @Test(arguments: clients)
  func `a port that refuses is named though it would let everybody in`(
    client: SocketClient
  ) async throws {
    let ports = try [Port(.refuses)]

    guard
      case .failed(.notReachable, let said) = try await probe(ports, client, choosesClients: false)
    else {
      Issue.record("a port that refuses was reached")
      return
    }
    #expect(said.contains("127.0.0.1:\(ports[0].number)"))
  }

  private func probe(
    _ ports: [Port],
    _ client: SocketClient,
    choosesClients: Bool = true
  ) async throws -> HAProxyResult {
    let process = HAProxyProcess(
      configuration: "/nonexistent/haproxy.cfg",
      sources: [],
      executable: "/usr/sbin/haproxy",
      masterPID: 1,
      statsSocket: nil,
      masterSocket: nil,
      client: client,
      timeout: .seconds(20)
    )
    let targets = ports.map {
      ProbeTarget(host: "127.0.0.1", port: $0.number, choosesClients: choosesClients)
    }
    return HAProxyResult(try await LocalHost().run(process.probe(targets, deadline: .seconds(5))))
  }
}

/// A port of this machine that does the same to everybody who connects.
private final class Port: Sendable {
  enum Manner { case keepsOpen, speaksFirst, resets, closes, refuses }

  let number: Int
  private let listener: Int32

  init(_ manner: Manner) throws {
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let listener = listener
    let isBound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, size) == 0 && getsockname(listener, $0, &size) == 0
      }
    }
    number = Int(UInt16(bigEndian: address.sin_port))
    try #require(isBound && (manner == .refuses || listen(listener, 16) == 0))
    Thread.detachNewThread {
      while true {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        switch manner {
        case .keepsOpen, .refuses: continue
        case .speaksFirst: _ = send(client, "220\n", 4, 0)
        case .resets:
          var linger = linger(l_onoff: 1, l_linger: 0)
          let length = socklen_t(MemoryLayout.size(ofValue: linger))
          setsockopt(client, SOL_SOCKET, SO_LINGER, &linger, length)
          close(client)
        case .closes: close(client)
        }
      }
    }
  }

  /// Ends the accepting thread; what it kept open goes with the process.
  deinit { shutdown(listener, Int32(SHUT_RDWR)) }
}
