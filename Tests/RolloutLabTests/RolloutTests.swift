import Foundation
import Testing

/// Real sshd, monit, haproxy and nginx; every test ends by counting failed requests.
@Suite(.serialized)
struct RolloutTests {
  @Test(arguments: ["runtime", "reload", "master"])
  func `enable and disable lose no request and restore every byte`(apply: String) async throws {
    try await PracticeFleet.with(apply: apply) { fleet in
      let before = try fleet.configuration()

      try fleet.underLoad {
        let enable = try fleet.rollout("enable")
        #expect(enable.status == 0, "\(enable.errors)")
        let status = try fleet.duplexctl(["rollout", "status"])
        #expect(status.status == 0, "\(status.text)")
        #expect(status.text.components(separatedBy: ":8080").count == 4, "\(status.text)")
        #expect(status.text.contains("app1: the shadow got "), "\(status.text)")

        let again = try fleet.rollout("enable")
        #expect(again.status == 0 && again.text.hasPrefix("Nothing to do"), "\(again.text)")

        let disable = try fleet.rollout("disable")
        #expect(disable.status == 0, "\(disable.errors)")
      }

      #expect(try fleet.configuration() == before)
      for host in ["app1", "app2", "app3"] {
        #expect(try fleet.on(host, "pgrep -f '[d]uplex-proxy --config' || echo none") == "none\n")
      }
    }
  }

  @Test func `a dry run changes nothing and is what the run then does`() async throws {
    try await PracticeFleet.with { fleet in
      let before = try fleet.everything()

      let dry = try fleet.duplexctl(["rollout", "enable", "--dry-run", "--output", "json"])

      #expect(dry.status == 0, "\(dry.errors)")
      #expect(try fleet.everything() == before)
      // Under load: a run leaves out the watching for traffic where there is none.
      try fleet.underLoad {
        let run = try fleet.rollout("enable")
        #expect(run.status == 0, "\(run.errors)")
      }
      let plan = try #require(
        try JSONSerialization.jsonObject(with: Data(dry.text.utf8)) as? [String: Any]
      )
      let journal = try fleet.newestJournal()
      let planned = try #require(journal.lazy.compactMap { $0["planned"] as? [String: Any] }.first)
      #expect(
        try #require(plan["steps"] as? NSArray) == #require(planned["steps"] as? NSArray)
      )
      let started = journal.compactMap { ($0["stepStarted"] as? [String: Int])?["step"] }
      let steps = try #require(plan["steps"] as? [[String: Any]]).compactMap {
        $0["number"] as? Int
      }
      #expect(started.sorted() == steps)
    }
  }

  @Test func `one host is rolled back while the others stay`() async throws {
    try await PracticeFleet.with(user: "deploy") { fleet in
      try fleet.underLoad {
        #expect(try fleet.rollout("enable").status == 0)

        let rollback = try fleet.rollout("rollback", "app2")

        #expect(rollback.status == 0, "\(rollback.errors)")
        let configuration = try fleet.configuration()
        #expect(configuration.contains("10.81.0.21:8080"))
        #expect(configuration.contains("10.81.0.22:81 check"))
        #expect(configuration.contains("10.81.0.23:8080"))
      }
    }
  }

  @Test func `a proxy that never gets healthy is taken back before traffic moves`() async throws {
    try await PracticeFleet.with { fleet in
      let before = try fleet.everything()
      let inventory = try fleet.inventory(
        replacing: "  routes:\n",
        with: "  timeouts: {health: 1s}\n  routes:\n"
      )
      // Nobody listens at this primary.
      try fleet.changeTemplate("-r {{primary}}", to: "-r 127.0.0.1:9")

      try fleet.underLoad {
        let enable = try fleet.rollout("enable", inventory: inventory)

        #expect(enable.status == 1)
        #expect(enable.errors.contains("did not become healthy"), "\(enable.errors)")
      }

      #expect(try fleet.everything() == before)
    }
  }

  @Test func `a proxy that does not understand its flags says so, and nothing of it stays`()
    async throws
  {
    try await PracticeFleet.with { fleet in
      let before = try fleet.everything()
      try fleet.changeTemplate("--shadow-buffer {{", to: "--bogus {{")

      let enable = try fleet.rollout("enable")

      #expect(enable.status == 1)
      #expect(
        enable.errors.contains("unknown flag --bogus") || enable.errors.contains("--bogus is")
      )
      #expect(try fleet.everything() == before)
    }
  }

  @Test func `traffic that goes past the proxy is seen, and moved back`() async throws {
    try await PracticeFleet.with { fleet in
      let before = try fleet.configuration()
      // On the balancer's way to app1 something else answers in its place.
      try fleet.on(
        "lb1",
        """
        ip addr add 10.81.0.21/32 dev lo
        for port in 81 8080; do
          setsid socat TCP-LISTEN:$port,bind=10.81.0.21,fork,reuseaddr TCP:10.81.0.22:81 \
            >/dev/null 2>&1 </dev/null &
        done
        """
      )

      try fleet.underLoad {
        let enable = try fleet.rollout("enable", "--limit", "app1")

        #expect(enable.status == 1)
        #expect(enable.errors.contains("no byte came through the proxy"), "\(enable.errors)")
      }

      #expect(try fleet.configuration() == before)
    }
  }

  @Test func `a host whose key has changed stops the run before anything is done`() async throws {
    try await PracticeFleet.with { fleet in
      let before = try fleet.everything()
      let known = "/run/duplex-lab-test/known_hosts"
      let text = try String(contentsOfFile: known, encoding: .utf8)
      let key = try fleet.on("app1", "cut -d' ' -f1,2 /etc/ssh/ssh_host_ed25519_key.pub")
      let others = text.split(separator: "\n").filter { !$0.hasPrefix("10.81.0.22 ") }
      try (others.joined(separator: "\n") + "\n10.81.0.22 \(key)")
        .write(toFile: known, atomically: true, encoding: .utf8)

      let enable = try fleet.rollout("enable")

      #expect(enable.status == 1)
      #expect(enable.errors.contains("app2: its host key is not the known one"), "\(enable.errors)")
      #expect(enable.errors.contains("SHA256:"))
      #expect(try fleet.everything() == before)
    }
  }

  @Test func `an edit by somebody else in the middle is refused and kept`() async throws {
    try await PracticeFleet.with { fleet in
      let before = try fleet.configuration()

      try fleet.underLoad {
        // As soon as the first host's line has been taken out, somebody adds a comment.
        try fleet.on(
          "lb1",
          """
          setsid sh -c 'until grep -q ^#duplexctl /etc/haproxy/haproxy.cfg; do :; done
            echo "# by somebody else" >>/etc/haproxy/haproxy.cfg' >/dev/null 2>&1 </dev/null &
          """
        )
        let enable = try fleet.rollout("enable")

        #expect(enable.status == 1, "\(enable.errors)")
        #expect(enable.errors.contains("somebody changed it"), "\(enable.errors)")
      }

      #expect(try fleet.configuration() == before + "# by somebody else\n")
      let again = try fleet.rollout("enable")
      #expect(again.status == 1)
      #expect(again.errors.contains("was changed by somebody"), "\(again.errors)")
    }
  }

  @Test func `the last server of a backend is not taken out`() async throws {
    try await PracticeFleet.with { fleet in
      let before = try fleet.everything()

      let all = try fleet.rollout("enable", "--batch", "100%")

      #expect(all.status == 1)
      #expect(all.errors.contains("no other server of app would be up"), "\(all.errors)")
      #expect(try fleet.everything() == before)
    }
  }

  @Test(arguments: ["auto", "reload"])
  func `a run that was killed is finished by running it again`(apply: String) async throws {
    try await PracticeFleet.with(apply: apply) { fleet in
      let before = try fleet.configuration()
      try fleet.underLoad {
        // Killed when the first host's line is out: the worst moment.
        try fleet.killWhenMarked()
        // What it began goes on without it: the reload, by which HAProxy forgets the server.
        if apply == "reload" {
          try fleet.on("lb1", "kill -USR2 $(cat /run/haproxy.pid); sleep 1")
        }

        let rollback = try fleet.rollout("rollback", "app1")
        #expect(rollback.status == 0, "\(rollback.errors)")
        #expect(try fleet.configuration() == before)

        let enable = try fleet.rollout("enable")
        #expect(enable.status == 0, "\(enable.errors)")
        #expect(try fleet.rollout("disable").status == 0)
      }
      #expect(try fleet.configuration() == before)
    }
  }
}

extension PracticeFleet {
  /// Templates in the inventory's folder, with another word in the proxy's configuration.
  fileprivate func changeTemplate(_ word: String, to other: String) throws {
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let templates = "\(folder)/templates"
    try FileManager.default.copyItem(
      atPath: root.appending(path: "templates").path,
      toPath: templates
    )
    let path = "\(templates)/duplex-proxy.conf.mustache"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    try #require(text.contains(word))
    try text.replacing(word, with: other)
      .write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// Runs `rollout enable` and kills it as soon as haproxy.cfg holds a line of ours.
  fileprivate func killWhenMarked() throws {
    let process = Process()
    let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    process.executableURL = root.appending(path: ".build/debug/duplexctl")
    process.arguments = ["rollout", "enable", "--yes", "-i", inventory]
    process.environment = ProcessInfo.processInfo.environment.merging(
      ["DUPLEXCTL_STATE": folder]) { $1 }
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let deadline = Date.now.addingTimeInterval(30)
    let path = "/run/duplex-lab-test/lb1/upper/etc/haproxy/haproxy.cfg"
    while process.isRunning, Date.now < deadline {
      let text = FileManager.default.contents(atPath: path) ?? Data()
      if String(decoding: text, as: UTF8.self).contains("#duplexctl-disabled") { break }
    }
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    try #require(process.terminationReason == .uncaughtSignal)
  }
}
