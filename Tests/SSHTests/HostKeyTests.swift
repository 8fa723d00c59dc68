import Logging
import Remote
import Testing

@testable import SSH

/// Whom a connection trusts, against a real sshd.
struct HostKeyTests {
  @Test func `an unknown machine is refused with the fingerprint that ssh-keygen prints`()
    async throws
  {
    try await withPrivateSSHD(hostKeys: ["ed25519"]) { server in
      try server.write("elsewhere ssh-ed25519 AAAA\n", to: "other_hosts")

      let error = await refusal(by: server, knownHosts: "other_hosts")

      #expect(error?.code == .hostKeyUnknown(fingerprint: try fingerprint(server)))
    }
  }

  @Test func `a changed key is refused with the line that has another`() async throws {
    try await withPrivateSSHD(hostKeys: ["ed25519"]) { server in
      let other = try Shell.run("cut -d' ' -f1,2 \(server.path("id_ed25519")).pub")
      try server.write("# a comment\n[127.0.0.1]:\(server.port) \(other)\n", to: "other_hosts")

      let error = await refusal(by: server, knownHosts: "other_hosts")

      #expect(
        error?.code
          == .hostKeyChanged(
            fingerprint: try fingerprint(server),
            file: "\(server.path("other_hosts"))",
            line: 2
          )
      )
    }
  }

  @Test func `a revoked key is refused even where another line trusts it`() async throws {
    try await withPrivateSSHD(hostKeys: ["ed25519"]) { server in
      let key = try Shell.run("cut -d' ' -f1,2 \(server.path("host_ed25519")).pub")
      let known = try server.read("known_hosts")
      try server.write("\(known)@revoked * \(key)\n", to: "other_hosts")

      let error = await refusal(by: server, knownHosts: "other_hosts")

      #expect(
        error?.code
          == .hostKeyRevoked(
            fingerprint: try fingerprint(server),
            file: "\(server.path("other_hosts"))",
            line: 2
          )
      )
    }
  }

  @Test func `a machine that only a certificate authority vouches for is refused as such`()
    async throws
  {
    try await withPrivateSSHD(hostKeys: ["ed25519"]) { server in
      let key = try Shell.run("cut -d' ' -f1,2 \(server.path("id_ed25519")).pub")
      try server.write("@cert-authority * \(key)\n", to: "other_hosts")

      let error = await refusal(by: server, knownHosts: "other_hosts")

      #expect(
        error?.code
          == .hostCertificatesUnsupported(file: "\(server.path("other_hosts"))", line: 1)
      )
    }
  }

  @Test(arguments: ["ed25519", "ecdsa"])
  func `the server is asked for the type of key that is known`(_ type: String) async throws {
    try await withPrivateSSHD(hostKeys: ["ed25519", "ecdsa"]) { server in
      let key = try Shell.run("cut -d' ' -f1,2 \(server.path("host_\(type)")).pub")
      try server.write("[127.0.0.1]:\(server.port) \(key)\n", to: "one_type")

      let connection = try await server.connect(to: server.destination(knownHosts: "one_type"))

      await connection.close()
    }
  }

  @Test func `a hashed known_hosts is as good as a plain one`() async throws {
    try await withPrivateSSHD { server in
      try Shell.run("ssh-keygen -q -H -f \(server.path("known_hosts"))")
      #expect(try server.read("known_hosts").contains("127.0.0.1") == false)

      let connection = try await server.connect()

      await connection.close()
    }
  }

  @Test func `nothing is ever added to known_hosts`() async throws {
    try await withPrivateSSHD { server in
      try server.write("", to: "empty")

      let error = await refusal(by: server, knownHosts: "empty")

      #expect(error != nil)
      #expect(try server.read("empty").isEmpty)
    }
  }

  @Test func `a port that nobody listens on is unreachable`() async throws {
    let destination = SSHDestination(
      address: "127.0.0.1",
      port: try FreePort.find(),
      user: "root",
      knownHostsFiles: []
    )

    let error = await #expect(throws: RemoteError.self) {
      _ = try await SSHConnection.connect(
        to: destination,
        passphrase: { _ in nil },
        logger: .init(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
      )
    }

    #expect(
      error
        == RemoteError(
          .unreachable,
          detail: "127.0.0.1 port \(destination.port): Connection refused"
        )
    )
  }

  @Test func `a server that accepts and says nothing is given up at the deadline`() async throws {
    let port = try FreePort.find()
    let listener = try Shell.start(
      "exec socat TCP-LISTEN:\(port),bind=127.0.0.1,fork,reuseaddr SYSTEM:'exec sleep 3'"
    )
    defer { Shell.end(listener) }
    try FreePort.awaitListener(on: port)
    let destination = SSHDestination(
      address: "127.0.0.1",
      port: port,
      user: "root",
      knownHostsFiles: [],
      connectTimeout: .milliseconds(300)
    )

    let error = await #expect(throws: RemoteError.self) {
      _ = try await SSHConnection.connect(
        to: destination,
        passphrase: { _ in nil },
        logger: .init(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
      )
    }

    #expect(error?.code == .timedOut)
  }

  private func refusal(by server: PrivateSSHD, knownHosts: String) async -> RemoteError? {
    await #expect(throws: RemoteError.self) {
      _ = try await server.connect(to: server.destination(knownHosts: knownHosts))
    }
  }

  private func fingerprint(_ server: PrivateSSHD) throws -> String {
    try Shell.run("ssh-keygen -l -f \(server.path("host_ed25519")) | cut -d' ' -f2")
  }
}
