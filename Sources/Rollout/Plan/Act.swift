package import HAProxy

/// What a step does, apart from the words it is said in.
package enum Act: Sendable, Hashable, Codable {
  // On a host.
  case uploadExecutable(sha256: String)
  case removeExecutable
  case installFiles([String])
  case restoreFiles
  /// Does the proxy understand what was installed?
  case checkConfiguration
  /// monit reads its control files again.
  case reloadMonit
  case startProxy
  case restartProxy
  /// The process that runs goes on with what was installed.
  case upgradeProxy
  /// The process that runs reads the configuration that was installed.
  case reloadProxy
  case stopProxy
  case awaitHealth
  case lookAgain
  /// Do bytes come through the proxy? Skipped where HAProxy has no requests for these servers.
  case awaitTraffic([ServerID])
  case awaitIdle

  // On a balancer.
  /// Every content that haproxy.cfg will have passes `haproxy -c`, ahead of time.
  case validateEdits(count: Int)
  case probe([String])
  case drain([ServerID])
  case undrain([ServerID])
  case remove([ServerID])
  case rewrite([ServerID], ports: [Int])
  case add([ServerID])
  case reload
  case awaitOldWorkers
  case readServers([ServerExpectation])
  /// As `readServers`, and waits until the servers get requests, if their backends have any.
  case watchRequests([ServerExpectation])
}
