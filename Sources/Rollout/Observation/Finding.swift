package import Fleet
package import HAProxy
package import Monit
package import Remote

/// Something the survey saw that an operator must know before a run.
package struct Finding: Error, Sendable, Hashable {
  package var machine: MachineName
  package var severity: Severity
  package var kind: Kind

  package init(_ machine: MachineName, _ severity: Severity, _ kind: Kind) {
    self.machine = machine
    self.severity = severity
    self.kind = kind
  }

  package enum Severity: String, Sendable, Hashable, Codable {
    /// The run would fail later, so it does not begin.
    case blocking
    /// The run works, but the operator gets less than they think.
    case warning
  }

  package enum Kind: Sendable, Hashable {
    // Any machine.
    case unreachable(RemoteError)
    case unreadable(String)
    case notRoot(sudo: Bool)
    case sudoRefused(String)

    // Hosts.
    case wrongArchitecture(host: String, executable: String)
    case userMissing(String)
    case groupMissing(String)
    case toolsMissing([String])
    case portTaken(port: Int, program: String?, pid: Int?)
    case primaryNotListening(Endpoint)
    case proxyNotRunning
    /// The route's `allow` lacks the addresses of these balancers, which feed it.
    case balancersNotAllowed(RouteName, [MachineName])
    /// A machine of the inventory takes requests at the route's shadow.
    case shadowIsProduction(RouteName, Endpoint, MachineName)
    /// All connections that one balancer makes are in the sample, or none.
    case sampleOfBalancer(RouteName, Copying.Sample)
    case monit(MonitProblem)

    // Balancers.
    case haproxyNotRunning
    /// It is not known whether requests come to the proxies that are changed, nor will it be tried whether they still can.
    case trafficUnseen
    /// The shadow takes no connection from the host: its copies would be dropped, and counted.
    case shadowUnreachable(String)
    /// No socket tells what HAProxy runs: why the stats socket does not, and the master's.
    case serversUnseen(stats: String, master: String)
    /// Our mark is on the line: `haproxy remove`, or a run that was cut off, took it out.
    case serverTakenOut(ServerID, line: Int)
    /// None of the programs that speak to a unix socket is there.
    case noSocketClient
    case configurationInvalid(String)
    case unloadedEdits(path: String)
    case statsSocketUnusable(path: String?, reason: String)
    case reloadImpossible(String)
    case reloadMayLoseRequests(missingOptions: [String])

    // Server lines.
    case serverRefused(ServerID, EditRefusal)
    case serverNotRunning(ServerID)
    case serverPortUnexpected(ServerID, port: Int?, direct: Int, listen: Int, line: Int)
    case serverAddressDiffers(ServerID, address: String, listen: String, line: Int)
    case serverDrained(ServerID, host: MachineName, state: String)
    case lastServerUp(ServerID)
    case checkBypassesProxy(ServerID, checkPort: Int, line: Int)
    /// HAProxy only connects: a proxy accepts also while its primary is dead.
    case checkEndsAtProxy(BackendName)
  }
}
