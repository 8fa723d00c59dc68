import Foundation
import Monit
import Remote
import TestSupport
import Testing

struct MonitSurveyTests {
  @Test func `a monit that answers is seen with all it has`() async throws {
    try await withMonit { monit in
      try monit.writeService()
      let started = try await monit.perform(.reload, .start)

      var observation = try await monit.observe()

      let daemon = try #require(observation.daemon)
      #expect(daemon > 1)
      observation.daemon = nil
      // monit finds out about a started process at its own pace.
      #expect([.ok, .initializing].contains(observation.service.state))
      observation.service = MonitStatus(.ok)
      #expect(
        observation
          == MonitObservation(
            version: "5.33.0",
            includes: [monit.folder.path(of: "conf.d/*")],
            interface: .answers,
            service: MonitStatus(.ok),
            process: observation.process
          )
      )
      #expect(started == .done(process: observation.process))
      #expect(observation.includesFile(monit.folder.path(of: "conf.d/proxy")))
    }
  }

  @Test func `looking changes nothing`() async throws {
    try await withMonit(running: false) { monit in
      let before = try contents(of: monit.folder)

      let observation = try await monit.observe()

      #expect(observation.daemon == nil)
      #expect(observation.interface == .notAsked)
      #expect(try contents(of: monit.folder) == before)
    }
  }

  @Test func `a configuration monit refuses is seen with its words`() async throws {
    try await withMonit { monit in
      try monit.folder.write("check nonsense\n", to: "conf.d/other")

      let observation = try await monit.observe()

      #expect(observation.configurationError?.contains("syntax error") == true)
      #expect(
        observation.problems(placing: monit.folder.path(of: "conf.d/proxy")) == [
          .configurationInvalid(said: observation.configurationError ?? "")
        ]
      )
    }
  }

  @Test func `a monit that takes no orders is seen as such`() async throws {
    try await withMonit(interface: "# no set httpd") { monit in
      let observation = try await monit.observe()

      #expect(observation.interface == .off)
    }
  }

  @Test func `a machine without monit is seen as such`() {
    let result = CommandResult(termination: .exited(MonitFailure.notInstalled.rawValue))

    let service = MonitService(name: "proxy", pidFile: "/run/proxy.pid")

    #expect(MonitObservation(result, of: service) == MonitObservation(version: nil))
  }

  @Test func `what is no survey's answer is none`() {
    let service = MonitService(name: "proxy", pidFile: "/run/proxy.pid")

    #expect(MonitObservation(CommandResult(termination: .exited(0)), of: service) == nil)
    #expect(MonitObservation(CommandResult(termination: .signalled("TERM")), of: service) == nil)
  }

  private func contents(of folder: TemporaryFolder) throws -> [String] {
    try FileManager.default.subpathsOfDirectory(atPath: folder.path).sorted()
  }
}
