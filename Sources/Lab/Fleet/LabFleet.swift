import Foundation
import SystemPackage

#if canImport(Glibc)
  import Glibc
#endif

/// Puts a lab up, takes it down, and does to its hosts what happens to hosts.
struct LabFleet: Sendable {
  let settings: LabSettings

  // MARK: The whole lab

  /// - Parameter report: told of each host as it comes up.
  func up(report: @Sendable (LabHost) -> Void) async throws {
    try await prepareState()
    // A balancer that comes up before its servers holds them for dead until it has checked them again.
    let balancers = settings.hosts.filter { $0.kind == .balancer }
    let others = settings.hosts.filter { $0.kind != .balancer }
    for hosts in [others, balancers] {
      for host in hosts { try await boot(host) }
      for host in hosts {
        try await waitUntilUp(host)
        report(host)
      }
    }
  }

  /// Whether a lab could be put up beside what is there: `down` goes by prefix, so that two labs
  /// with one prefix would take each other down.
  ///
  /// - Throws: `LabError` that says what is in the way. Nothing has been touched.
  func expectRoom() async throws {
    let links = try await self.links()
    guard try await namespaces().isEmpty, links.isEmpty else {
      throw LabError(
        "there are interfaces or namespaces that begin with \(settings.prefix)-, of another lab "
          + "or a left-over of one: choose another --prefix, or take that lab down"
      )
    }
    let addresses = try await Tool.run("ip", "-o", "-4", "addr", "show")
    guard !addresses.contains(" \(settings.network).") else {
      throw LabError("\(settings.network).0/24 is in use here: choose another --network")
    }
  }

  /// Leaves nothing: also of a lab that was killed while it went up.
  func down() async throws {
    for namespace in try await namespaces() {
      try await killProcesses(in: namespace)
      _ = try await Tool.attempt(["ip", "link", "del", namespace])
      _ = try await Tool.attempt(["ip", "netns", "del", namespace])
    }
    _ = try await Tool.attempt(["ip", "link", "del", settings.bridge])
    for link in try await links() { _ = try await Tool.attempt(["ip", "link", "del", link]) }
    try await poll("the delayed link to go") {
      // pgrep's own words must not match: hence the brackets.
      try await !Tool.attempt(["pgrep", "-f", "[l]ink \(settings.prefix)-op "]).succeeded
    }
    try await poll("the mounts below \(settings.state) to go") {
      guard try await Tool.attempt(["mountpoint", "-q", settings.state]).succeeded else {
        return true
      }
      return try await Tool.attempt(["umount", settings.state]).succeeded
    }
    if FileManager.default.fileExists(atPath: settings.state) {
      try FileManager.default.removeItem(atPath: settings.state)
    }
  }

  // MARK: One host

  func boot(_ host: LabHost) async throws {
    try FileManager.default.createDirectory(
      atPath: host.folder,
      withIntermediateDirectories: true
    )
    let inside = host.namespace
    try await Tool.run("ip", "netns", "add", inside)
    try await Tool.run(
      "ip",
      "link",
      "add",
      inside,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "address",
      host.hardwareAddress,
      "netns",
      inside
    )
    try await Tool.run("ip", "link", "set", inside, "master", settings.bridge, "up")
    try await Tool.run("ip", "-n", inside, "addr", "add", "\(host.address)/24", "dev", "eth0")
    try await Tool.run("ip", "-n", inside, "link", "set", "lo", "up")
    try await Tool.run("ip", "-n", inside, "link", "set", "eth0", "up")
    let others = settings.hosts.filter { $0.name != host.name }
    try await makeKnown(
      others.map(\.neighbour) + [settings.gatewayNeighbour],
      on: "eth0",
      of: ["-n", inside]
    )
    // --kill-child: with the host's pid 1, or the process above it, the whole host goes.
    try await Tool.run(
      "sh",
      "-c",
      """
      setsid ip netns exec "$1" unshare --mount --pid --uts --ipc --fork --kill-child=KILL \
        --propagation private bash "$2/host.sh" "$3" "$4" "$2" "$5" "$6" \
        >"$2/$3/console.log" 2>&1 </dev/null &
      for try in $(seq 250); do
        pid=$(pgrep -P $!) && break
        sleep 0.02
      done
      echo "$pid" >"$2/$3/init.pid"
      """,
      "sh",
      inside,
      settings.state,
      host.name,
      host.kind.rawValue,
      settings.network,
      String(settings.apps)
    )
  }

  /// A power cut: every process of the host is gone at once, its disk stays.
  func powerOff(_ host: LabHost) async throws {
    try await killProcesses(in: host.namespace)
    _ = try await Tool.attempt(["ip", "link", "del", host.namespace])
    _ = try await Tool.attempt(["ip", "netns", "del", host.namespace])
    _ = try await Tool.attempt(["rm", "-f", host.pidFile])
  }

  func waitUntilUp(_ host: LabHost) async throws {
    let ports = host.kind == .app ? ["22", "81"] : ["22", "80"]
    try await poll("\(host.name) to come up; its console: \(host.folder)/console.log") {
      for port in ports {
        // One try must end long before the deadline of all: a lost SYN is sent again only after
        // 1, 2, 4 … seconds.
        let connect = "exec 3<>/dev/tcp/\(host.address)/\(port)"
        guard try await Tool.attempt(["timeout", "1", "bash", "-c", connect]).succeeded else {
          return false
        }
      }
      guard host.kind == .app, let pid = host.initProcess else { return host.kind != .app }
      return try await Tool.attempt(
        ["nsenter", "-t", String(pid), "-m", "test", "-S", "/run/monit.sock"]
      ).succeeded
    }
  }

  /// Cuts the cable, or puts it back in: packets are dropped, nobody is told.
  func partition(_ host: LabHost, isCut: Bool) async throws {
    try await Tool.run(
      "bridge",
      "link",
      "set",
      "dev",
      host.namespace,
      "state",
      isCut ? "0" : "3"
    )
  }

  func isPartitioned(_ host: LabHost) async throws -> Bool {
    try await Tool.attempt(["bridge", "-d", "link", "show", "dev", host.namespace]).output
      .contains("state disabled")
  }
}

// MARK: -

extension LabFleet {
  private func prepareState() async throws {
    let state = settings.state
    try FileManager.default.createDirectory(atPath: state, withIntermediateDirectories: true)
    try await Tool.run("mount", "-t", "tmpfs", "-o", "mode=755,size=4g", "lab", state)
    // Written before anything else is made, so that `down` knows what to look for.
    try settings.write()
    try HostScript.text.write(toFile: "\(state)/host.sh", atomically: true, encoding: .utf8)
    try await makeKey(settings.keyFile)
    var knownHosts = ""
    for host in settings.hosts {
      try FileManager.default.createDirectory(
        atPath: host.folder,
        withIntermediateDirectories: true
      )
      try await makeKey("\(host.folder)/hostkey")
      let key = try String(contentsOfFile: "\(host.folder)/hostkey.pub", encoding: .utf8)
      let words = key.split(separator: " ").prefix(2).joined(separator: " ")
      knownHosts += "\(host.address) \(words)\n"
    }
    try knownHosts.write(toFile: settings.knownHostsFile, atomically: true, encoding: .utf8)
    try await Tool.run("ip", "link", "add", settings.bridge, "type", "bridge")
    try await Tool.run("ip", "link", "set", settings.bridge, "up")
    if settings.delayMilliseconds > 0 { try await layDelayedLink() }
    // With a hardware address of its own: else a bridge has the lowest of its ports', and changes
    // it, for the hosts that know it, whenever a host's power is cut.
    let gateway = settings.gatewayLink
    try await Tool.run("ip", "link", "set", gateway, "address", settings.gatewayHardwareAddress)
    try await Tool.run("ip", "addr", "add", "\(settings.gateway)/24", "dev", gateway)
    try await Tool.run("ip", "link", "set", gateway, "up")
    try await makeKnown(settings.hosts.map(\.neighbour), on: gateway, of: [])
  }

  /// Starts the process that carries frames between this machine and the bridge. It ends when its
  /// interfaces are deleted, so `down` need not know it.
  private func layDelayedLink() async throws {
    let program = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    try await Tool.run(
      "sh",
      "-c",
      #"setsid "$@" >"$0/link.log" 2>&1 </dev/null &"#,
      settings.state,
      program,
      LinkCommand.configuration.commandName ?? "",
      settings.gatewayLink,
      settings.farLink,
      "--delay-ms",
      String(settings.delayMilliseconds)
    )
    try await poll("the delayed link; its words: \(settings.state)/link.log") {
      try await links().filter { [settings.gatewayLink, settings.farLink].contains($0) }.count == 2
    }
    try await Tool.run("ip", "link", "set", settings.farLink, "master", settings.bridge, "up")
  }

  /// Tells a machine its neighbours, so that it never asks by ARP: what it hears of a host that is
  /// off or cut off is then nothing, as across a router, and not "no route to host".
  ///
  /// - Parameter machine: what tells `ip` which machine is meant; empty for this one.
  private func makeKnown(
    _ neighbours: [Neighbour],
    on link: String,
    of machine: [String]
  ) async throws {
    let lines = neighbours.map {
      "neigh replace \($0.address) lladdr \($0.hardwareAddress) dev \(link) nud permanent"
    }
    try await Tool.run(
      ["bash", "-c", #"printf '%s\n' "$1" | ip "${@:2}" -batch -"#, "bash"]
        + [lines.joined(separator: "\n")] + machine
    )
  }

  private func makeKey(_ path: String) async throws {
    try await Tool.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lab", "-f", path)
  }

  private func namespaces() async throws -> [String] {
    try await Tool.run("ip", "netns", "list").split(separator: "\n")
      .compactMap { $0.split(separator: " ").first.map(String.init) }
      .filter { $0.hasPrefix("\(settings.prefix)-") }
  }

  private func links() async throws -> [String] {
    try await Tool.run("ip", "-o", "link", "show").split(separator: "\n").compactMap { line in
      let name = line.split(separator: " ").dropFirst().first?.prefix { $0 != "@" && $0 != ":" }
      return name.map(String.init)
    }.filter { $0.hasPrefix("\(settings.prefix)-") }
  }

  private func killProcesses(in namespace: String) async throws {
    try await poll("the processes of \(namespace) to go") {
      let pids = try await Tool.attempt(["ip", "netns", "pids", namespace]).output
        .split(separator: "\n").compactMap { Int32($0) }
      for pid in pids { kill(pid, SIGKILL) }
      return pids.isEmpty
    }
  }

  private func poll(_ what: String, until isSo: () async throws -> Bool) async throws {
    let clock = ContinuousClock()
    let deadline = clock.now + .seconds(20)
    while try await !isSo() {
      guard clock.now < deadline else { throw LabError("waited 20 s for \(what)") }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}
