// Monit: what is said to monit on a host, and what its answers mean. Scripts and readings of their
// results as values; what a script found is told by its exit status, never by parsing complaints.
// Nothing here runs anything, reads a file or knows what the service is for.

package import Remote

/// One service under monit on one host, and what can be asked of monit about it.
package struct MonitService: Sendable, Hashable {
  /// As monit's control file calls it: `check process NAME …`.
  package var name: String
  /// Where the service's process writes its pid, as in monit's control file.
  package var pidFile: String
  /// monit's own control file. Always named to monit, so that the one looked at is the one used.
  package var controlFile: String

  package init(
    name: String,
    pidFile: String,
    controlFile: String = MonitService.debianControlFile
  ) {
    self.name = name
    self.pidFile = pidFile
    self.controlFile = controlFile
  }

  /// Where Debian's package puts it.
  package static let debianControlFile = "/etc/monit/monitrc"

  /// One script that does all of `acts`, in order, each proven before the next begins.
  ///
  /// - Parameter deadline: for all of them together, in whole seconds, rounded up. monit runs its
  ///   start and stop programs one after another, each for up to 30 s unless its control file says
  ///   otherwise: a shorter deadline may pass while monit is busy with another service.
  package func command(_ acts: [MonitAct], deadline: Duration) -> RemoteCommand {
    RemoteCommand(
      script(acts, deadline: deadline),
      // The script's own deadline comes first: its answer says more than a lost connection.
      timeout: deadline + .seconds(10)
    )
  }

  /// The script of `command`, for those who put more before or after it. Where an act fails it
  /// exits with a `MonitFailure`'s status; otherwise it goes on with the next line, having printed
  /// what `MonitResult` reads.
  package func script(_ acts: [MonitAct], deadline: Duration) -> String {
    let preamble = MonitScript.preamble(
      service: self,
      seconds: deadline.wholeSeconds,
      acts: acts
    )
    return ([preamble] + acts.map(MonitScript.lines)).joined(separator: "\n")
  }
}

/// Something asked of monit. Each is harmless to repeat.
package enum MonitAct: String, Sendable, Hashable, Codable, CaseIterable {
  /// Check monit's configuration, reload it, and wait until monit has read it and knows the service.
  case reload
  /// Check monit's configuration, reload it, and wait until monit has read it and no longer knows
  /// the service, whose part of the configuration was removed before.
  case forget
  /// Have monit start and watch the service, and wait until its process runs.
  case start
  /// Have monit stop the service and no longer watch it, and wait until its process is gone.
  case stop
}
