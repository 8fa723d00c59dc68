import Engine
import Fleet
import Rollout
import Workspace

/// An inventory with all that goes with it, ready to look at the fleet and to plan.
struct Fleetwork {
  let file: InventoryFile
  let hosts: [Host]
  let machines: Machines
  private let machine: OperatorMachine
  private let payloads: [MachineName: Planner.Payload]

  /// - Throws: everything that is wrong with what the operator wrote, before any machine is touched.
  init(inventory chosen: String?, limit: String?, machine: OperatorMachine) throws {
    self.machine = machine
    file = try InventoryFile.load(chosen, on: machine)
    hosts = try file.inventory.hosts(.init(limit: limit))
    machines = Machines(connector: SSHConnector(inventory: file.inventory, machine: machine))
    let bundle = Bundle(machine: machine, inventoryFolder: file.folder)
    let proxy = try bundle.proxy()
    let executable = Executable(
      bytes: proxy.bytes,
      sha256: proxy.sha256,
      architecture: proxy.architecture
    )
    let templates = try HostTemplates.load(from: bundle.templatesFolder())
    payloads = Dictionary(
      uniqueKeysWithValues: try hosts.map { host in
        let files = try templates.files(for: host)
        return (host.name, Planner.Payload(executable: executable, files: files))
      }
    )
  }

  var balancers: [Balancer] {
    let backends = Set(hosts.flatMap(\.routes).map(\.backend))
    return file.inventory.balancers.filter { !backends.isDisjoint(with: $0.backends) }
  }

  /// Connects to every machine that matters and looks at it.
  func survey() async -> FleetObservation { await survey(balancers) }

  /// As `survey`, with only some of the balancers.
  func survey(_ balancers: [Balancer]) async -> FleetObservation {
    await FleetSurvey(machines: machines).look(
      at: hosts,
      executables: payloads.mapValues(\.executable.sha256),
      balancers: balancers
    )
  }

  func request(
    _ wish: Wish,
    batch: Inventory.BatchSize?,
    observation: FleetObservation
  ) -> Planner.Request {
    Planner.Request(
      inventory: file.inventory,
      hosts: hosts,
      batch: batch ?? file.inventory.batch,
      wish: wish,
      payloads: payloads,
      observation: observation,
      digest: sha256Hex
    )
  }

  /// Begins the journal of a run, named by its time and what it is.
  func journal(of wish: Wish) async throws -> FileJournal {
    let folder = JournalFolder(on: machine)
    let file = try folder.begin(run: "\(RunTime.forFileName)-\(wish.rawValue)")
    let journal = FileJournal(file: file)
    let name = RunTime.operatorName(environment: machine.environment)
    try await journal.append(
      .begun(by: name, command: CommandLine.arguments, version: Duplexctl.version),
      durably: false
    )
    return journal
  }
}
