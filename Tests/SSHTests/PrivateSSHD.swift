import Glibc
import Logging
import Remote
import SSH
import SystemPackage
import Testing

/// An sshd of the test's own on a loopback port, with its own host keys and authorized_keys. Ended
/// and removed by `withPrivateSSHD`.
struct PrivateSSHD: Sendable {
  let folder: FilePath
  let port: Int
  let process: pid_t

  func path(_ name: String) -> FilePath { folder.appending(name) }

  /// known_hosts as it should be, and one user key of each type that the server takes.
  func destination(
    keys: [String] = ["id_ed25519"],
    knownHosts: String = "known_hosts",
    agent: FilePath? = nil
  ) -> SSHDestination {
    SSHDestination(
      address: "127.0.0.1",
      port: port,
      user: "root",
      keyFiles: keys.map(path),
      agentSocket: agent,
      knownHostsFiles: [path(knownHosts)]
    )
  }

  func connect(
    to destination: SSHDestination? = nil,
    passphrase: @escaping PassphraseSource = { _ in nil }
  ) async throws -> SSHConnection {
    try await SSHConnection.connect(
      to: destination ?? self.destination(),
      passphrase: passphrase,
      logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() })
    )
  }

  /// Writes a file into the server's folder.
  func write(_ text: String, to name: String) throws {
    let file = try FileDescriptor.open(
      path(name),
      .writeOnly,
      options: [.create, .truncate],
      permissions: [.ownerReadWrite]
    )
    _ = try file.closeAfter { try file.writeAll(text.utf8) }
  }

  /// A file's text.
  func read(_ name: String) throws -> String {
    let file = try FileDescriptor.open(path(name), .readOnly)
    return try file.closeAfter {
      var buffer = [UInt8](repeating: 0, count: 1 << 16)
      let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
      return String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  /// Makes a key that the server takes.
  func makeKey(_ name: String, _ options: [String], passphrase: String = "") throws {
    try Shell.run(
      "ssh-keygen -q -N \(ShellWord.quoting(passphrase)) -C test"
        + " -f \(path(name)) \(ShellWord.line(options))"
        + " && cat \(path(name)).pub >> \(path("authorized_keys"))"
    )
  }
}

/// Gives `body` a server, and takes it away again.
///
/// - Parameter hostKeys: the types of its host keys.
func withPrivateSSHD(
  hostKeys: [String] = ["ed25519", "ecdsa"],
  configuration: String = "",
  _ body: (PrivateSSHD) async throws -> Void
) async throws {
  let folder = try Shell.run("mktemp -d /tmp/ssh-room.XXXXXX")
  defer { Shell.ignoringFailure("rm -rf \(folder)") }
  // Another HOME, since the account's own start-up files may print or take their time.
  var lines = [
    "PidFile none", "StrictModes no", "UsePAM no", "PasswordAuthentication no",
    "KbdInteractiveAuthentication no", "PermitRootLogin yes", "SetEnv HOME=\(folder)",
    "AuthorizedKeysFile \(folder)/authorized_keys", configuration,
  ]
  try Shell.run("mkdir -p /run/sshd && ssh-keygen -q -t ed25519 -N '' -f \(folder)/id_ed25519")
  try Shell.run("cp \(folder)/id_ed25519.pub \(folder)/authorized_keys")
  for type in hostKeys {
    try Shell.run("ssh-keygen -q -t \(type) -N '' -f \(folder)/host_\(type)")
    lines.append("HostKey \(folder)/host_\(type)")
  }
  let port = try FreePort.find()
  lines.append("ListenAddress 127.0.0.1:\(port)")
  try Shell.run("cat > \(folder)/sshd_config <<'EOF'\n\(lines.joined(separator: "\n"))\nEOF")
  try Shell.run(
    "for key in \(folder)/host_*.pub; do"
      + " echo \"[127.0.0.1]:\(port) $(cut -d' ' -f1,2 $key)\"; done > \(folder)/known_hosts"
  )

  let process = try Shell.start("exec /usr/sbin/sshd -D -f \(folder)/sshd_config -E \(folder)/log")
  defer { Shell.end(process) }
  try FreePort.awaitListener(on: port)
  try await body(PrivateSSHD(folder: FilePath(folder), port: port, process: process))
}
