import ArgumentParser
import Testing

@testable import Commands

@Suite struct ComplaintTests {
  @Test(arguments: [
    ["rollout", "enabel"], ["rollout", "enable", "--limt", "app1"], ["shadow", "off", "--output"],
  ])
  func `wrong usage is complained of in the same form as everything else`(_ arguments: [String])
    throws
  {
    let error = try #require(throws: (any Error).self) { try Duplexctl.parseAsRoot(arguments) }

    let complaint = Duplexctl.complaint(of: error)

    #expect(complaint.hasPrefix("error: "))
    #expect(complaint.contains("Usage: duplexctl"))
    #expect(Duplexctl.exitCode(for: error) == ExitCode(64))
  }

  @Test func `what has been said is not said again`() {
    #expect(Duplexctl.complaint(of: ExitCode(64)).isEmpty)
  }
}
