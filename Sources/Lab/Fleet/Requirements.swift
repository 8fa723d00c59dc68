#if canImport(Glibc)
  import Glibc
#endif

/// What a machine must have to hold a lab.
enum Requirements {
  private static let packages = [
    ("ip", "iproute2"), ("bridge", "iproute2"), ("unshare", "util-linux"),
    ("nsenter", "util-linux"), ("mountpoint", "util-linux"), ("pgrep", "procps"),
    ("ssh", "openssh-client"), ("ssh-keygen", "openssh-client"),
    ("/usr/sbin/sshd", "openssh-server"),
    ("haproxy", "haproxy"), ("nginx", "nginx-light"), ("monit", "monit"), ("sudo", "sudo"),
  ]

  /// - Throws: everything that is missing and what to do about it. Leaves nothing behind.
  static func check() async throws {
    var problems = getuid() == 0 ? [] : ["a lab needs root: run it with sudo"]
    var missing: [String] = []
    for (tool, package) in packages {
      guard try await !Tool.attempt(["sh", "-c", "command -v \(tool)"]).succeeded else { continue }
      if !missing.contains(package) { missing.append(package) }
    }
    if !missing.isEmpty {
      problems.append(
        "missing on this machine: apt-get install --no-install-recommends "
          + missing.joined(separator: " ")
      )
    }
    guard problems.isEmpty else { throw LabError(problems.joined(separator: "\n")) }
    // Namespaces, and an overlay over /, both gone when the trial ends.
    let trial = try await Tool.attempt([
      "unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--propagation",
      "private", "sh", "-c",
      """
      mount -t tmpfs tmpfs /mnt && mkdir /mnt/upper /mnt/work /mnt/root &&
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root
      """,
    ])
    guard trial.succeeded else {
      throw LabError(
        "this machine gives no namespaces with an overlay over / (a container without the rights "
          + "for it?): \(trial.errors)"
      )
    }
  }
}
