// Remote: what may be said to a machine, and what it may answer. Values only: how the words travel
// is the business of whoever implements `RemoteHost`. Nothing here opens a socket or reads a clock.

/// One POSIX shell script for one machine, with what it reads on standard input.
///
/// A dry run prints exactly this value, and a run executes exactly this value. Scripts are run by
/// `/bin/sh -c`, whatever the login shell is, as the login user or as root (`privilege`).
package struct RemoteCommand: Sendable, Hashable {
  /// The script. Every word in it that came from outside has passed `ShellWord`.
  package var script: String
  /// What the script reads on standard input; the channel's end of file follows it.
  package var input: Input
  /// Who runs it.
  package var privilege: Privilege
  /// How long the script may take, transfer of its input included, before it counts as failed.
  package var timeout: Duration

  package init(
    _ script: String,
    input: Input = .nothing,
    privilege: Privilege = .root,
    timeout: Duration
  ) {
    self.script = script
    self.input = input
    self.privilege = privilege
    self.timeout = timeout
  }

  package enum Input: Sendable, Hashable {
    case nothing
    /// Bytes, with the words a dry run shows in their place ("duplex-proxy, 6.8 MB, sha256 3f2a…").
    case bytes([UInt8], description: String)

    package var bytes: [UInt8] {
      switch self {
      case .nothing: []
      case .bytes(let bytes, _): bytes
      }
    }
  }

  package enum Privilege: String, Sendable, Hashable {
    /// The user that logged in.
    case login
    /// Root: through `sudo -n` where the machine's `Elevation` says so.
    case root
  }

  /// The line that is sent: what sshd hands to the login shell.
  ///
  /// - Parameter elevation: how this machine's login user becomes root.
  package func line(elevation: Elevation) -> String {
    let shell = "/bin/sh -c \(ShellWord.quoting(script))"
    switch (privilege, elevation) {
    case (.login, _), (.root, .alreadyRoot): return shell
    case (.root, .sudo): return "sudo -n \(shell)"
    }
  }
}

/// How a machine's login user gets root's rights.
package enum Elevation: String, Sendable, Hashable {
  /// The login user is root, or needs no more rights than it has.
  case alreadyRoot
  /// `sudo -n`: never asks for a password, fails where one would be needed.
  case sudo
}
