import Glibc
import Remote
import Synchronization
import SystemPackage
import Testing

@testable import SSH

/// Logging in with every kind of key, against a real sshd.
struct KeyTests {
  /// A key as ssh-keygen makes it.
  struct Kind: CustomTestStringConvertible, Sendable {
    var name: String
    var options: [String]
    var testDescription: String { name }
  }

  static let kinds = [
    Kind(name: "ed25519", options: ["-t", "ed25519"]),
    Kind(name: "ecdsa 256", options: ["-t", "ecdsa", "-b", "256"]),
    Kind(name: "ecdsa 384", options: ["-t", "ecdsa", "-b", "384"]),
    Kind(name: "ecdsa 521", options: ["-t", "ecdsa", "-b", "521"]),
    Kind(name: "ecdsa PEM", options: ["-t", "ecdsa", "-m", "PEM"]),
    Kind(name: "ecdsa PKCS8", options: ["-t", "ecdsa", "-m", "PKCS8"]),
    Kind(name: "RSA", options: ["-t", "rsa", "-b", "2048"]),
    Kind(name: "RSA PEM", options: ["-t", "rsa", "-b", "2048", "-m", "PEM"]),
    Kind(name: "RSA PKCS8", options: ["-t", "rsa", "-b", "2048", "-m", "PKCS8"]),
  ]

  @Test(arguments: kinds) func `a plain key file logs in`(_ kind: Kind) async throws {
    try await withPrivateSSHD { server in
      try server.makeKey("key", kind.options)

      let connection = try await server.connect(to: server.destination(keys: ["key"]))

      #expect(try await saysHello(connection))
    }
  }

  @Test(arguments: kinds)
  func `an encrypted key file logs in with the third answer`(_ kind: Kind) async throws {
    try await withPrivateSSHD { server in
      try server.makeKey("key", kind.options, passphrase: "correct horse")
      let answers = Answers(["wrong", "wronger", "correct horse"])

      let connection = try await server.connect(
        to: server.destination(keys: ["key"]),
        passphrase: answers.next
      )

      #expect(try await saysHello(connection))
      #expect(
        answers.questions == [1, 2, 3].map { KeyFile(path: server.path("key"), attempt: $0) }
      )
    }
  }

  @Test(arguments: kinds) func `a key that only the agent has logs in`(_ kind: Kind) async throws {
    try await withPrivateSSHD { server in
      try server.makeKey("key", kind.options)
      let socket = server.path("agent")
      let agent = try Shell.start("exec ssh-agent -D -a \(socket) >/dev/null")
      defer { Shell.end(agent) }
      try Shell.run("for i in $(seq 100); do test -S \(socket) && break; sleep 0.02; done")
      try Shell.run("SSH_AUTH_SOCK=\(socket) ssh-add -q \(server.path("key"))")

      let connection = try await server.connect(
        to: server.destination(keys: [], agent: socket)
      )

      #expect(try await saysHello(connection))
    }
  }

  @Test func `the passphrase of a key that the server does not know is never asked for`()
    async throws
  {
    try await withPrivateSSHD { server in
      try server.makeKey("stranger", ["-t", "ed25519"], passphrase: "unused")
      try Shell.run("cp \(server.path("id_ed25519")).pub \(server.path("authorized_keys"))")
      let answers = Answers([])

      let connection = try await server.connect(
        to: server.destination(keys: ["stranger", "id_ed25519"]),
        passphrase: answers.next
      )

      #expect(try await saysHello(connection))
      #expect(answers.questions.isEmpty)
    }
  }

  @Test func `a refused login says which keys were tried and what the server accepts`()
    async throws
  {
    try await withPrivateSSHD { server in
      try server.write("", to: "authorized_keys")
      try server.write("no key at all", to: "nonsense")
      let fingerprint = try Shell.run(
        "ssh-keygen -l -f \(server.path("id_ed25519")) | cut -d' ' -f2"
      )

      let error = await #expect(throws: RemoteError.self) {
        _ = try await server.connect(
          to: server.destination(keys: ["missing", "nonsense", "id_ed25519"])
        )
      }

      let folder = server.folder
      #expect(
        error
          == RemoteError(
            .authenticationFailed,
            detail: "as root: tried \(folder)/missing: no such file;"
              + " \(folder)/nonsense: not a private key;"
              + " \(folder)/id_ed25519: ssh-ed25519 \(fingerprint), refused;"
              + " the server accepts publickey"
          )
      )
    }
  }

  @Test func `three wrong passphrases are enough`() async throws {
    try await withPrivateSSHD { server in
      try server.makeKey("key", ["-t", "ed25519"], passphrase: "right")
      let answers = Answers(["a", "b", "c", "right"])

      let error = await #expect(throws: RemoteError.self) {
        _ = try await server.connect(
          to: server.destination(keys: ["key"]),
          passphrase: answers.next
        )
      }

      #expect(error?.code == .authenticationFailed)
      #expect(error?.detail.contains("\(server.path("key")): wrong passphrase") == true)
      #expect(answers.questions.count == 3)
    }
  }

  @Test func `an agent that is not there is no obstacle to a key file`() async throws {
    try await withPrivateSSHD { server in
      let connection = try await server.connect(
        to: server.destination(agent: server.path("no-agent"))
      )

      #expect(try await saysHello(connection))
    }
  }

  private func saysHello(_ connection: SSHConnection) async throws -> Bool {
    let result = try await connection.run(
      RemoteCommand("printf hello", privilege: .login, timeout: .seconds(10))
    )
    await connection.close()
    return result == CommandResult(termination: .exited(0), output: Array("hello".utf8))
  }
}

/// Gives its answers one by one, then none, and keeps the questions.
private final class Answers: Sendable {
  private let state: Mutex<(answers: [String], questions: [KeyFile])>

  init(_ answers: [String]) { state = Mutex((answers, [])) }

  var questions: [KeyFile] { state.withLock { $0.questions } }

  @Sendable func next(_ file: KeyFile) async -> Secret? {
    state.withLock { state in
      state.questions.append(file)
      return state.answers.isEmpty ? nil : Secret(Array(state.answers.removeFirst().utf8))
    }
  }
}
