// ProxyServer: sockets, signals, flags and the admin endpoint around `Duplex`. Every decision about a relay or a
// shadow is made there; here it is carried out. No Foundation, no blocking call; a server is one thread's.

import CLinux
import Duplex
import Glibc

/// One thread's part of the proxy of a configuration: listens, relays and copies to the shadows; the leading thread
/// answers on the admin endpoint as well.
final class Server<Loop: EventLoop>: CompletionHandler {
  struct RouteState {
    /// As it is for new connections.
    var route: Route
    /// The listening address with its real port.
    let address: SocketAddress
    var listener: SocketID?
    var counters: RouteCounters
    /// The configuration has it no more; connections may still be open.
    var isGone = false
    /// The state that has its place since its shadows, or how they are copied to, changed: this one is for the connections
    /// from before alone, whose lanes it knows.
    var next: Int?
  }

  enum Phase { case serving, draining, over }

  /// Descriptors that are never given to clients: the admin endpoint and health probes must go on.
  static var reservedDescriptors: Int { 16 }

  let loop: Loop
  var limits: Limits
  var log: Log
  var routes: [RouteState]
  var connections = ConnectionTable()
  /// By the connection's number; few have one, and none for long.
  var fronts: [Int: ShadowFront] = [:]
  var budget: ShadowBudget
  var allowance = AnswerAllowance()
  /// Copies whose answers are not taken until a later turn has an allowance for them; some may have gone on since.
  var restingLanes = DeadlineQueue<(connection: ConnectionTable.Reference, lane: Int)>(delay: 0)
  /// Copies that have room for bulky streams.
  var wideLanes = 0
  var phase = Phase.serving
  var copying: CopyingSwitch
  var ending = EndingOfCopies()
  let gates: ShadowGates
  var acceptFailures: [String: Int] = [:]
  var admin: AdminEndpoint
  var adminListeners: [(address: SocketAddress, socket: SocketID)] = []
  let mailbox: Mailbox
  var siblings: Siblings
  /// Relays between a client and a primary, not counting shadows that are finishing.
  var openRelays = 0
  /// Seconds since the epoch.
  let startTime = time(nil)
  var supervision: Supervision
  let share: ThreadShare
  /// The listening sockets are another process's now: nothing of what is under way here is cut short.
  var isHandedOver = false
  /// When what is still open after a handover is cut.
  var cutDeadline = UInt64.max
  /// To be told once the loop has had a turn to carry out what was asked of it.
  var owesAnswer = false

  private var restingListeners: [SocketID] = []

  private let descriptors: DescriptorCount
  var connectDeadlines: DeadlineQueue<ConnectionTable.Reference>
  var frontDeadlines: DeadlineQueue<ConnectionTable.Reference>
  var resetPolls: DeadlineQueue<ConnectionTable.Reference>
  /// Connections with a shadow that was sent something.
  var sweeps: DeadlineQueue<ConnectionTable.Reference>
  var lingerDeadlines: DeadlineQueue<ConnectionTable.Reference>
  /// Copies whose client and primary are done.
  var lingeringCopies = 0
  /// Connections whose primary has failed, and whose client has not taken all of what it said before.
  var lastWordDeadlines: DeadlineQueue<ConnectionTable.Reference>
  /// When resting listeners are looked at again.
  private var acceptDeadline = UInt64.max
  var drainDeadline = UInt64.max

  /// Takes over the listening sockets of its thread.
  ///
  /// - Parameters:
  ///   - share: which of how many threads this is; bounds that hold for all of them are divided evenly.
  ///   - gates: of the same configuration, the same for all threads.
  init(
    _ configuration: Configuration,
    loop: Loop,
    sockets: ListeningSockets,
    share: ThreadShare,
    gates: ShadowGates,
    log: Log,
    supervision: Supervision = Supervision()
  ) {
    self.loop = loop
    self.log = log
    self.gates = gates
    self.share = share
    copying = CopyingSwitch(supervision.counters)
    self.supervision = supervision
    mailbox = share.mailbox
    limits = configuration.limits
    budget = ShadowBudget(
      perConnection: limits.shadowBuffer,
      total: limits.shadowBufferTotal / share.count
    )
    siblings = Siblings(mailboxes: share.siblings, leader: share.leader, limits: limits)
    connectDeadlines = DeadlineQueue(delay: limits.connectTimeout)
    lingerDeadlines = DeadlineQueue(delay: limits.shadowLinger)
    lastWordDeadlines = DeadlineQueue(delay: limits.lastWords)
    sweeps = DeadlineQueue(delay: limits.shadowSweep)
    frontDeadlines = DeadlineQueue(delay: limits.proxyHeaderPatience)
    resetPolls = DeadlineQueue(delay: limits.lastWordsPoll)
    admin = AdminEndpoint(limits: limits)
    descriptors = share.descriptors
    routes = []
    for (index, listening) in sockets.routes.enumerated() {
      let descriptor = listening.descriptors[share.index]
      let listener = loop.adopt(descriptor, tag: Tag(role: .listener, index: index))
      if let listener { loop.accept(listener) }
      routes.append(RouteState(listening, listener: listener))
    }
    for (index, descriptor) in sockets.admin.enumerated() where share.leader == nil {
      guard let listener = loop.adopt(descriptor, tag: Tag(role: .adminListener, index: index))
      else { continue }
      loop.accept(listener)
      adminListeners.append((sockets.adminAddresses[index], listener))
    }
    let letters = loop.adopt(mailbox.descriptor, tag: Tag(role: .mailbox, index: 0))
    if let letters { loop.receive(letters, .bytes) }
  }

  /// Serves until stopped and drained.
  func run() {
    while phase != .over {
      let owesAnswer = owesAnswer
      let isHurried = owesAnswer || ending.isUnderWay
      allowance.turnBegins()
      loop.turn(until: isHurried ? 0 : nextDeadline, self)
      if owesAnswer { answerOrder() }
      if ending.isUnderWay { endCopies() }
      fireDeadlines(clinux_monotonic_nanoseconds())
      if phase == .draining, isIdle, siblings.running == 0 { phase = .over }
    }
    loop.end()
    siblings.leader?.post(.finished)
  }

  func completed(_ completion: Completion, tag: Tag, socket: SocketID) {
    switch tag.role {
    case .client: clientCompleted(completion, tag.index)
    case .primary: primaryCompleted(completion, tag.index)
    case .shadow: shadowCompleted(completion, tag.index, Int(tag.lane))
    case .listener: listenerCompleted(completion, tag.index, socket)
    case .adminListener, .admin, .probe: adminCompleted(completion, tag: tag, socket: socket)
    case .mailbox: mailboxCompleted(completion)
    }
  }
}

// MARK: Descriptors

extension Server {
  /// A connected or connecting socket of the server's own making, or the reason why there is none.
  func open(_ address: SocketAddress, tag: Tag) -> SocketID? {
    let descriptor = loop.stream(address.family)
    if tag.role == .shadow, address.family != AF_UNIX {
      clinux_bound_buffers(descriptor, Int32(Shadowing.kernelBuffer), Int32(Shadowing.lowWater))
    }
    guard descriptor >= 0, let socket = loop.adopt(descriptor, tag: tag) else { return nil }
    descriptors.opened()
    loop.connect(socket, to: address)
    return socket
  }

  func adopt(_ descriptor: Int32, tag: Tag) -> SocketID? {
    guard let socket = loop.adopt(descriptor, tag: tag) else { return nil }
    descriptors.opened()
    return socket
  }

  func close(_ socket: SocketID, _ how: Closing) {
    loop.close(socket, how)
    descriptors.closed()
    if !restingListeners.isEmpty, canAccept { acceptAgain() }
  }

  /// Whether one more client and its primary fit.
  private var canAccept: Bool {
    descriptors.current + 2 + Self.reservedDescriptors <= descriptors.limit
  }

  /// Shadows may not use the last quarter of the descriptors.
  var canOpenShadow: Bool {
    descriptors.current < descriptors.limit - descriptors.limit / 4
  }

  private func acceptAgain() {
    let listeners = restingListeners
    restingListeners = []
    for listener in listeners { loop.accept(listener) }
  }
}

// MARK: Accepting

extension Server {
  private func listenerCompleted(_ completion: Completion, _ route: Int, _ socket: SocketID) {
    switch completion {
    case .accepted(let descriptor):
      begin(descriptor, route)
      guard !canAccept else { return }
      acceptFailures["descriptors_reserved", default: 0] += 1
      retryAccepting(socket)
    case .acceptFailed(let errno):
      acceptFailures[Self.acceptFailureReason(errno), default: 0] += 1
      retryAccepting(socket)
    default: break
    }
  }

  /// Leaves new connections waiting for a moment.
  func retryAccepting(_ listener: SocketID) {
    loop.rest(listener)
    restingListeners.append(listener)
    if acceptDeadline == .max {
      acceptDeadline = clinux_monotonic_nanoseconds() &+ limits.acceptRetry
    }
  }

  private static func acceptFailureReason(_ errno: Int32) -> String {
    switch errno {
    case EMFILE: "process_descriptors"
    case ENFILE: "system_descriptors"
    case ENOMEM, ENOBUFS: "memory"
    default: "other"
    }
  }

  func begin(_ descriptor: Int32, _ first: Int) {
    var route = first
    while let next = routes[route].next { route = next }
    guard isAdmitted(descriptor, route) else { return }
    let index = connections.reserve()
    let skip = skip(of: descriptor, route)
    guard let client = adopt(descriptor, tag: Tag(role: .client, index: index)) else {
      acceptFailures["memory", default: 0] += 1
      connections.release(index)
      return
    }
    routes[route].counters.connections += 1
    let target = routes[route].route
    guard let primary = open(target.primary, tag: Tag(role: .primary, index: index)) else {
      routes[route].counters.primaryConnectFailures += 1
      close(client, .reset)
      connections.release(index)
      return
    }
    let connection = Connection(
      route: route,
      client: client,
      primary: primary,
      relay: Relay(limit: limits.relayBuffer),
      lanes: lanes(route, skip)
    )
    connections.put(connection, at: index)
    loop.forward(primary, to: client)
    openFront(index, descriptor)
    routes[route].counters.open += 1
    openRelays += 1
    let now = clinux_monotonic_nanoseconds()
    beginCopies(index, skip, now)
    connectDeadlines.add(connections.reference(to: index), now: now)
    log.detail(
      "\(routes[route].address): connection \(index) from \(source(descriptor, route)) opened"
    )
  }
}

// MARK: Time

extension Server {
  private var nextDeadline: UInt64 {
    min(
      connectDeadlines.next,
      frontDeadlines.next,
      resetPolls.next,
      sweeps.next,
      max(restingLanes.next, allowance.returnsAt),
      lingerDeadlines.next,
      lastWordDeadlines.next,
      acceptDeadline,
      admin.nextDeadline,
      siblings.deadlines.next,
      drainDeadline
    )
  }

  private func fireDeadlines(_ now: UInt64) {
    while let reference = connectDeadlines.popDue(now: now) {
      if connections[reference] != nil { connectTimedOut(reference.index) }
    }
    // The rest of a burst is due in the next turn.
    for _ in 0..<EndingOfCopies.share {
      guard let reference = lingerDeadlines.popDue(now: now) else { break }
      if connections[reference] != nil { lingered(reference.index) }
    }
    while let reference = lastWordDeadlines.popDue(now: now) {
      guard let connection = connections[reference], !connection.isRelayOver,
        connection.relay.isResetting
      else { continue }
      carryOut(connection.relay.gaveUp(), reference.index)
    }
    wakeLanes(now)
    var left = Shadowing.sweepShare
    while left > 0, let reference = sweeps.popDue(now: now) {
      guard connections[reference] != nil else { continue }
      sweep(reference.index)
      left -= 1
    }
    while let reference = frontDeadlines.popDue(now: now) {
      if connections[reference] != nil { waitedForFront(reference.index) }
    }
    while let reference = resetPolls.popDue(now: now) {
      guard let connection = connections[reference], !connection.isRelayOver else { continue }
      carryOut(.reset, reference.index)
    }
    if acceptDeadline <= now {
      // Another thread may have closed what it had open.
      acceptDeadline = canAccept ? .max : now &+ limits.acceptRetry
      if canAccept { acceptAgain() }
    }
    fireAdminDeadlines(now)
    fireSiblingDeadlines(now)
    if drainDeadline <= now, isHandedOver, now < cutDeadline {
      closeQuiet()
      drainDeadline = now &+ limits.quietPoll
    } else if drainDeadline <= now {
      log.line("the drain timeout is over, \(openRelays) connections are cut")
      phase = .over
    }
  }

  private func connectTimedOut(_ index: Int) {
    for lane in connections[index].lanes.indices where !connections[index].lanes[lane].isConnected {
      carryOut(connections[index].lanes[lane].machine.connectTimedOut(), index, lane)
    }
    if connections[index].isRelayOver {
      releaseIfOver(index)
    } else if !connections[index].isPrimaryConnected {
      primaryFailed(index, ETIMEDOUT)
    }
  }

  func lingered(_ index: Int) {
    for lane in connections[index].lanes.indices {
      carryOut(connections[index].lanes[lane].machine.gaveUp(), index, lane)
    }
    releaseIfOver(index)
  }
}

// MARK: Stopping

extension Server {
  /// The first request drains; the second one ends at once.
  func stop() {
    guard phase == .serving else {
      phase = .over
      return
    }
    for index in routes.indices {
      guard let listener = routes[index].listener else { continue }
      loop.drainAccepts(listener) { begin($0, index) }
      loop.close(listener, .orderly)
      routes[index].listener = nil
    }
    phase = .draining
    drainDeadline = clinux_monotonic_nanoseconds() &+ limits.drainTimeout
    if siblings.leader == nil { log.line("stopping: what is open may finish") }
  }
}
