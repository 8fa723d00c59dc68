package import Fleet
import HAProxy
package import Monit
import Remote

/// What has to be done on one host itself, apart from its traffic.
struct HostPlanning {
  let host: Host
  private let request: Planner.Request
  private let payload: Planner.Payload
  private let sighting: HostSighting
  private let paths: HostPaths
  private let commands: HostCommands

  /// Nil where the host was not seen; the inspector has said so.
  init?(_ host: Host, _ request: Planner.Request) {
    guard let sighting = request.observation.hosts[host.name]?.observation,
      let payload = request.payloads[host.name]
    else { return nil }
    self.host = host
    self.request = request
    self.payload = payload
    self.sighting = sighting
    paths = HostPaths(host.proxy)
    commands = HostCommands(host)
  }

  // MARK: Before any traffic moves

  var prepare: [Step] {
    guard request.wish == .enabled else { return [] }
    var steps: [Step] = []
    if sighting.host.digests[executablePath] != payload.executable.sha256 { steps.append(upload) }
    if !outdatedFiles.isEmpty || linkIsOutdated {
      steps += [install, step(.checkConfiguration, commands.checkConfiguration())]
    }
    if !isRunning {
      steps += [start, awaitHealth]
    } else if restartsProxy && !carriesTraffic {
      steps += [restart, awaitHealth]
    } else if !steps.isEmpty {
      steps.append(reloadMonit)
    }
    return steps
  }

  // MARK: While its traffic goes on

  /// It runs, but not what is to be deployed.
  var needsChange: Bool {
    guard let process = sighting.host.process else { return false }
    let isOfOtherRelease = process.executable != executablePath || linkIsOutdated
    return process.configurationIsNewer || !outdatedFiles.isEmpty
      || (bringsExecutable && isOfOtherRelease)
  }

  /// What runs has not read the configuration that is to be deployed.
  var changesConfiguration: Bool {
    sighting.host.process?.configurationIsNewer == true
      || outdatedFiles.contains { $0.path == paths.configuration }
  }

  var deliver: [Step] {
    bringsExecutable && sighting.host.digests[executablePath] != payload.executable.sha256
      ? [upload] : []
  }

  /// What is installed is not in use before the process takes it on, and the way back ends with the same: so the one
  /// step's undo is all there is.
  var change: [Step] {
    let (act, way): (Act, HostCommands.RunningChange) =
      bringsExecutable ? (.upgradeProxy, .upgrade) : (.reloadProxy, .reload)
    var install = install
    install.undo.append(.init(act, commands.changeBack(way)))
    let isMonitOutdated = outdatedFiles.contains { $0.path == paths.controlFile }
    return [install, step(.checkConfiguration, commands.checkConfiguration())]
      + (isMonitOutdated ? [reloadMonit] : [])
      + [step(act, commands.change(way)), awaitHealth]
  }

  // MARK: While its traffic is away

  var restartInSwitch: [Step] {
    request.wish == .enabled && restartsProxy && carriesTraffic ? [restart, awaitHealth] : []
  }

  var look: [Step] {
    request.wish == .enabled && restartInSwitch.isEmpty
      ? [step(.lookAgain, commands.lookAgain())] : []
  }

  var traffic: [Step] {
    let servers = request.targets(of: host).map(\.id)
    return request.wish == .enabled
      ? [step(.awaitTraffic(servers), commands.awaitTraffic())] : []
  }

  // MARK: After its traffic has moved away

  var retire: [Step] {
    guard request.wish == .disabled || request.wish == .rolledBack else { return [] }
    guard sighting.host.process != nil || sighting.monit.isSupervising else { return [] }
    let stop = step(.stopProxy, monit([.stop]))
    guard sighting.host.process?.isHealthy == true else { return [stop] }
    return [step(.awaitIdle, commands.awaitIdle()), stop]
  }
}

extension HostPlanning {
  /// Only a reload leaves the executable as it is.
  private var bringsExecutable: Bool { request.wish != .reloaded }

  private var installedExecutable: Executable? { bringsExecutable ? payload.executable : nil }

  private var executablePath: String { paths.executable(sha256: payload.executable.sha256) }

  private var linkIsOutdated: Bool {
    sighting.host.link != "duplex-proxy-\(payload.executable.sha256.prefix(12))"
  }

  private var outdatedFiles: [HostFile] {
    payload.files.filter { sighting.host.digests[$0.path] != request.digest($0.contents) }
  }

  private var isRunning: Bool {
    sighting.host.process != nil && sighting.monit.isSupervising
  }

  /// It runs, but not what is to be deployed, or not well.
  private var restartsProxy: Bool {
    guard let process = sighting.host.process else { return false }
    return process.executable != executablePath || changesConfiguration || !process.isHealthy
  }

  private var carriesTraffic: Bool {
    request.targets(of: host).contains(where: \.carriesProxyTraffic)
  }

  private var upload: Step {
    step(
      .uploadExecutable(sha256: payload.executable.sha256),
      commands.upload(payload.executable),
      undo: [
        .init(
          .removeExecutable,
          commands.removeExecutable(sha256: payload.executable.sha256)
        )
      ]
    )
  }

  private var install: Step {
    step(
      .installFiles(outdatedFiles.map(\.path)),
      commands.install(outdatedFiles, executable: installedExecutable),
      undo: [
        .init(.restoreFiles, commands.restore(outdatedFiles, executable: installedExecutable)),
        .init(.reloadMonit, monit([hadControlFile ? .reload : .forget])),
      ]
    )
  }

  private var start: Step {
    step(
      .startProxy,
      commands.tellingLog(monit([.reload, .start])),
      undo: [.init(.stopProxy, monit([.stop]))]
    )
  }

  private var reloadMonit: Step { step(.reloadMonit, monit([.reload])) }

  private var restart: Step {
    step(.restartProxy, commands.tellingLog(monit([.stop, .start])))
  }

  private var hadControlFile: Bool { sighting.host.digests[paths.controlFile] != nil }

  /// A proxy may take the whole drain time to stop, and monit's and the runner's own time beyond it.
  private func monit(_ acts: [MonitAct]) -> RemoteCommand {
    let stopping = acts.contains(.stop) ? host.timeouts.drain + .seconds(20) : .zero
    return MonitService(host: host).command(
      acts,
      deadline: max(host.timeouts.start, stopping)
    )
  }

  private var awaitHealth: Step { step(.awaitHealth, commands.awaitHealth()) }

  private func step(_ act: Act, _ command: RemoteCommand, undo: [Step.Undo] = []) -> Step {
    Step(machine: host.name, hosts: [host.name], act: act, command: command, undo: undo)
  }
}

extension MonitService {
  /// The proxy of a host, as monit knows it.
  package init(host: Host) {
    self.init(name: host.proxy.service, pidFile: HostPaths(host.proxy).pidFile)
  }
}

extension MonitObservation {
  /// monit knows the service and looks after it.
  var isSupervising: Bool { service.state != .unknown && service.state != .notMonitored }
}
