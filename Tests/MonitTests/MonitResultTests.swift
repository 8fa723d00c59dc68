import Monit
import Remote
import Testing

struct MonitResultTests {
  @Test func `the last of start and stop says whether a process is left`() {
    #expect(MonitResult(exited(0, output: "running 12\n")) == .done(process: 12))
    #expect(MonitResult(exited(0, output: "stopped\nrunning 12\n")) == .done(process: 12))
    #expect(MonitResult(exited(0, output: "running 12\nstopped\n")) == .done(process: nil))
    #expect(MonitResult(exited(0, output: "")) == .done(process: nil))
  }

  @Test(arguments: MonitFailure.allCases)
  func `a failure is told by the exit status, with monit's words beside it`(failure: MonitFailure) {
    #expect(
      MonitResult(exited(failure.rawValue, errors: "no such user\n"))
        == .failed(failure, said: "no such user")
    )
  }

  @Test func `an end the script does not know is no failure of monit's`() {
    let signalled = CommandResult(termination: .signalled("KILL"))

    #expect(MonitResult(signalled) == .unexpected(signalled))
    #expect(MonitResult(exited(127)) == .unexpected(exited(127)))
    #expect(MonitResult(exited(1)) == .unexpected(exited(1)))
  }

  private func exited(_ status: Int32, output: String = "", errors: String = "") -> CommandResult {
    CommandResult(
      termination: .exited(status),
      output: Array(output.utf8),
      errors: Array(errors.utf8)
    )
  }
}
