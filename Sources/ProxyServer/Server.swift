// ProxyServer: sockets, signals, flags and the admin endpoint around `Duplex`. Every decision about a relay or a
// shadow is made there; here it is carried out. No Foundation, no blocking call, one thread.

import CLinux
import Duplex
import Glibc

/// The proxy of a configuration: listens, relays, copies to the shadows and answers on the admin endpoint.
final class Server<Loop: EventLoop>: CompletionHandler {
  struct RouteState {
    let route: Route
    /// The listening address with its real port.
    let address: SocketAddress
    var listener: SocketID?
    var counters: RouteCounters
  }

  enum Phase { case serving, draining, over }

  /// Descriptors that are never given to clients: the admin endpoint and health probes must go on.
  static var reservedDescriptors: Int { 16 }

  let loop: Loop
  let limits: Limits
  let log: Log
  var routes: [RouteState]
  var connections = ConnectionTable()
  var budget: ShadowBudget
  var phase = Phase.serving
  var acceptFailures: [String: Int] = [:]
  var admin: AdminEndpoint
  /// Relays between a client and a primary, not counting shadows that are finishing.
  var openRelays = 0
  /// Seconds since the epoch.
  let startTime = time(nil)

  private var restingListeners: [SocketID] = []

  private let descriptorLimit: Int
  private var descriptors: Int
  private var connectDeadlines: DeadlineQueue<ConnectionTable.Reference>
  var resetPolls: DeadlineQueue<ConnectionTable.Reference>
  var lingerDeadlines: DeadlineQueue<ConnectionTable.Reference>
  private var acceptDeadlines: DeadlineQueue<Void>
  private var drainDeadline = UInt64.max

  /// Takes over the listening sockets and `stop`, on which each byte is one request to stop.
  init(
    _ configuration: Configuration,
    loop: Loop,
    sockets: ListeningSockets,
    stop: Int32,
    descriptorLimit: Int,
    log: Log
  ) {
    self.loop = loop
    self.log = log
    limits = configuration.limits
    budget = ShadowBudget(perConnection: limits.shadowBuffer, total: limits.shadowBufferTotal)
    connectDeadlines = DeadlineQueue(delay: limits.connectTimeout)
    lingerDeadlines = DeadlineQueue(delay: limits.shadowLinger)
    resetPolls = DeadlineQueue(delay: limits.lastWordsPoll)
    acceptDeadlines = DeadlineQueue(delay: limits.acceptRetry)
    admin = AdminEndpoint(limits: limits)
    self.descriptorLimit = descriptorLimit
    descriptors = Int(clinux_open_descriptors())
    routes = []
    for (index, listening) in sockets.routes.enumerated() {
      let listener = loop.adopt(listening.descriptor, tag: Tag(role: .listener, index: index))
      if let listener { loop.accept(listener) }
      routes.append(
        RouteState(
          route: listening.route,
          address: listening.address,
          listener: listener,
          counters: RouteCounters(shadows: listening.route.shadows.count)
        )
      )
    }
    for (index, descriptor) in sockets.admin.enumerated() {
      guard let listener = loop.adopt(descriptor, tag: Tag(role: .adminListener, index: index))
      else { continue }
      loop.accept(listener)
    }
    if let stop = loop.adopt(stop, tag: Tag(role: .stop, index: 0)) { loop.receive(stop, .bytes) }
  }

  /// Serves until stopped and drained.
  func run() {
    while phase != .over {
      loop.turn(until: nextDeadline, self)
      fireDeadlines(clinux_monotonic_nanoseconds())
      if phase == .draining, openRelays == 0 { phase = .over }
    }
  }

  func completed(_ completion: Completion, tag: Tag, socket: SocketID) {
    switch tag.role {
    case .client: clientCompleted(completion, tag.index)
    case .primary: primaryCompleted(completion, tag.index)
    case .shadow: shadowCompleted(completion, tag.index, Int(tag.lane))
    case .listener: listenerCompleted(completion, tag.index, socket)
    case .adminListener, .admin, .probe: adminCompleted(completion, tag: tag, socket: socket)
    case .stop: stopCompleted(completion)
    }
  }
}

// MARK: Descriptors

extension Server {
  /// A connected or connecting socket of the server's own making, or the reason why there is none.
  func open(_ address: SocketAddress, tag: Tag) -> SocketID? {
    let descriptor = loop.stream(address.family)
    guard descriptor >= 0, let socket = loop.adopt(descriptor, tag: tag) else { return nil }
    descriptors += 1
    loop.connect(socket, to: address)
    return socket
  }

  func adopt(_ descriptor: Int32, tag: Tag) -> SocketID? {
    guard let socket = loop.adopt(descriptor, tag: tag) else { return nil }
    descriptors += 1
    return socket
  }

  func close(_ socket: SocketID, _ how: Closing) {
    loop.close(socket, how)
    descriptors -= 1
    guard !restingListeners.isEmpty, canAccept else { return }
    acceptAgain()
  }

  /// Whether one more client and its primary fit.
  private var canAccept: Bool { descriptors + 2 + Self.reservedDescriptors <= descriptorLimit }

  /// Shadows may not use the last quarter of the descriptors.
  private var canOpenShadow: Bool { descriptors < descriptorLimit - descriptorLimit / 4 }

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
      loop.rest(socket)
      restingListeners.append(socket)
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
    acceptDeadlines.add((), now: clinux_monotonic_nanoseconds())
  }

  private static func acceptFailureReason(_ errno: Int32) -> String {
    switch errno {
    case EMFILE: "process_descriptors"
    case ENFILE: "system_descriptors"
    case ENOMEM, ENOBUFS: "memory"
    default: "other"
    }
  }

  private func begin(_ descriptor: Int32, _ route: Int) {
    let index = connections.reserve()
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
      lanes: Array(repeating: Connection.Lane(), count: target.shadows.count)
    )
    connections.put(connection, at: index)
    routes[route].counters.open += 1
    openRelays += 1
    for lane in target.shadows.indices { openShadow(index, lane, target.shadows[lane]) }
    connectDeadlines.add(
      connections.reference(to: index),
      now: clinux_monotonic_nanoseconds()
    )
    log.detail("\(routes[route].address): connection \(index) opened")
  }

  private func openShadow(_ index: Int, _ lane: Int, _ address: SocketAddress) {
    let route = connections[index].route
    let tag = Tag(role: .shadow, lane: UInt16(lane), index: index)
    guard canOpenShadow, let socket = open(address, tag: tag) else {
      routes[route].counters.shadows[lane].drops[.descriptors, default: 0] += 1
      return
    }
    routes[route].counters.shadows[lane].connections += 1
    routes[route].counters.shadows[lane].open += 1
    connections[index].lanes[lane].socket = socket
  }
}

// MARK: Time

extension Server {
  private var nextDeadline: UInt64 {
    min(
      connectDeadlines.next,
      resetPolls.next,
      lingerDeadlines.next,
      acceptDeadlines.next,
      admin.nextDeadline,
      drainDeadline
    )
  }

  private func fireDeadlines(_ now: UInt64) {
    while let reference = connectDeadlines.popDue(now: now) {
      if connections[reference] != nil { connectTimedOut(reference.index) }
    }
    while let reference = lingerDeadlines.popDue(now: now) {
      if connections[reference] != nil { lingered(reference.index) }
    }
    while let reference = resetPolls.popDue(now: now) {
      guard let connection = connections[reference], !connection.isRelayOver else { continue }
      carryOut(.reset, reference.index)
    }
    while acceptDeadlines.popDue(now: now) != nil { acceptAgain() }
    fireAdminDeadlines(now)
    if drainDeadline <= now {
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

  private func lingered(_ index: Int) {
    guard connections[index].isRelayOver else {
      if connections[index].relay.isResetting { carryOut(connections[index].relay.gaveUp(), index) }
      return
    }
    for lane in connections[index].lanes.indices {
      carryOut(connections[index].lanes[lane].machine.gaveUp(), index, lane)
    }
    releaseIfOver(index)
  }
}

// MARK: Stopping

extension Server {
  private func stopCompleted(_ completion: Completion) {
    guard case .received(let bytes) = completion else { return }
    for _ in 0..<bytes.count { stop() }
  }

  /// The first request drains; the second one ends at once.
  private func stop() {
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
    log.line("stopping: \(openRelays) open connections may finish")
  }
}
