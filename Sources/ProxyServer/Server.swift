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
  private var lingerDeadlines: DeadlineQueue<ConnectionTable.Reference>
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
    let descriptor = clinux_stream_socket(address.family)
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

// MARK: Relaying

extension Server {
  private func clientCompleted(_ completion: Completion, _ index: Int) {
    switch completion {
    case .received(let bytes):
      let route = connections[index].route
      routes[route].counters.bytesToPrimary += bytes.count
      let owed = loop.send(bytes, on: connections[index].primary)
      let actions = connections[index].relay.received(from: .client, owed: owed)
      for lane in connections[index].lanes.indices { copy(bytes, index, lane) }
      carryOut(actions, index)
    case .sent(let count):
      carryOut(connections[index].relay.sent(to: .client, count: count), index)
    case .ended:
      let actions = connections[index].relay.ended(.client)
      finishLanes(index)
      carryOut(actions, index)
    case .failed, .lost:
      carryOut(connections[index].relay.failed(.client), index)
    case .sendFailed:
      carryOut(connections[index].relay.sendFailed(to: .client), index)
    case .accepted, .acceptFailed, .connected, .discarded: break
    }
  }

  private func primaryCompleted(_ completion: Completion, _ index: Int) {
    switch completion {
    case .connected:
      connections[index].isPrimaryConnected = true
      carryOut(connections[index].relay.primaryConnected(), index)
    case .received(let bytes):
      routes[connections[index].route].counters.bytesToClient += bytes.count
      let owed = loop.send(bytes, on: connections[index].client)
      carryOut(connections[index].relay.received(from: .primary, owed: owed), index)
    case .sent(let count):
      carryOut(connections[index].relay.sent(to: .primary, count: count), index)
    case .ended:
      carryOut(connections[index].relay.ended(.primary), index)
    case .failed(let errno):
      primaryFailed(index, errno)
    case .sendFailed:
      carryOut(connections[index].relay.sendFailed(to: .primary), index)
    case .lost:
      // What the primary had sent is still there to be read; the failure comes after it.
      break
    case .accepted, .acceptFailed, .discarded: break
    }
  }

  private func primaryFailed(_ index: Int, _ errno: Int32) {
    guard !connections[index].isPrimaryConnected else {
      let actions = connections[index].relay.failed(.primary)
      carryOut(actions, index)
      if !actions.contains(.reset) { linger(index) }
      return
    }
    let route = connections[index].route
    routes[route].counters.primaryConnectFailures += 1
    log.detail("\(routes[route].address): no connection to the primary, error \(errno)")
    carryOut(connections[index].relay.primaryConnectFailed(), index)
  }

  private func carryOut(_ actions: Relay.Actions, _ index: Int) {
    guard actions.rawValue != 0 else { return }
    if actions.contains(.reset) { return endRelay(index, .reset) }
    let (client, primary) = (connections[index].client, connections[index].primary)
    if actions.contains(.finishPrimary) { loop.finish(primary) }
    if actions.contains(.finishClient) { loop.finish(client) }
    if actions.contains(.close) { return endRelay(index, .orderly) }
    if actions.contains(.pauseClient) { loop.receive(client, .off) }
    if actions.contains(.pausePrimary) { loop.receive(primary, .off) }
    if actions.contains(.readClient) { loop.receive(client, .bytes) }
    if actions.contains(.readPrimary) { loop.receive(primary, .bytes) }
  }

  private func endRelay(_ index: Int, _ how: Closing) {
    let route = connections[index].route
    connections[index].isRelayOver = true
    routes[route].counters.open -= 1
    openRelays -= 1
    close(connections[index].client, how)
    close(connections[index].primary, how)
    log.detail(
      "\(routes[route].address): connection \(index) \(how == .reset ? "reset" : "closed")"
    )
    finishLanes(index)
    releaseIfOver(index)
    if connections.isLive(index) { linger(index) }
  }

  private func linger(_ index: Int) {
    lingerDeadlines.add(connections.reference(to: index), now: clinux_monotonic_nanoseconds())
  }

  private func releaseIfOver(_ index: Int) {
    if connections[index].isOver { connections.release(index) }
  }
}

// MARK: Shadows

extension Server {
  /// Sends the client's bytes to one shadow, or queues them, or gives the shadow up.
  private func copy(_ bytes: UnsafeRawBufferPointer, _ index: Int, _ lane: Int) {
    guard let socket = connections[index].lanes[lane].socket else { return }
    let machine = connections[index].lanes[lane].machine
    if machine.isBehind, let reason = machine.refusal(of: bytes.count, budget) {
      return carryOut(.drop(reason), index, lane)
    }
    let owed = loop.send(bytes, on: socket)
    routes[connections[index].route].counters.shadows[lane].bytes += bytes.count - owed
    carryOut(
      connections[index].lanes[lane].machine.received(owed: owed, &budget),
      index,
      lane
    )
  }

  private func finishLanes(_ index: Int) {
    for lane in connections[index].lanes.indices where connections[index].lanes[lane].socket != nil
    {
      carryOut(connections[index].lanes[lane].machine.clientDone(), index, lane)
    }
  }

  private func shadowCompleted(_ completion: Completion, _ index: Int, _ lane: Int) {
    let route = connections[index].route
    switch completion {
    case .connected:
      connections[index].lanes[lane].isConnected = true
      if let socket = connections[index].lanes[lane].socket { loop.receive(socket, .discard) }
      carryOut(connections[index].lanes[lane].machine.shadowConnected(), index, lane)
    case .sent(let count):
      routes[route].counters.shadows[lane].bytes += count
      carryOut(connections[index].lanes[lane].machine.sent(count, &budget), index, lane)
    case .discarded(let count):
      routes[route].counters.shadows[lane].answerBytes += count
    case .ended:
      carryOut(connections[index].lanes[lane].machine.shadowDone(), index, lane)
    case .failed where !connections[index].lanes[lane].isConnected:
      carryOut(connections[index].lanes[lane].machine.connectFailed(), index, lane)
    case .failed(EPIPE), .sendFailed(EPIPE), .lost:
      // Linux says EPIPE, not ECONNRESET, of a peer that had sent its FIN before; and after its FIN nobody receives.
      carryOut(connections[index].lanes[lane].machine.refusedBytes(), index, lane)
    case .failed, .sendFailed:
      carryOut(connections[index].lanes[lane].machine.shadowReset(), index, lane)
    case .accepted, .acceptFailed, .received: break
    }
    if connections.isLive(index) { releaseIfOver(index) }
  }

  private func carryOut(_ action: ShadowLane.Action, _ index: Int, _ lane: Int) {
    guard let socket = connections[index].lanes[lane].socket else { return }
    switch action {
    case .none: return
    case .finish: loop.finish(socket)
    case .close: endLane(index, lane, socket, .orderly)
    case .drop(let reason):
      let route = connections[index].route
      routes[route].counters.shadows[lane].drops[reason, default: 0] += 1
      log.detail(
        "\(routes[route].address): connection \(index) lost its shadow: \(reason.rawValue)"
      )
      endLane(index, lane, socket, .reset)
    }
  }

  private func endLane(_ index: Int, _ lane: Int, _ socket: SocketID, _ how: Closing) {
    connections[index].lanes[lane].machine.release(&budget)
    connections[index].lanes[lane].socket = nil
    routes[connections[index].route].counters.shadows[lane].open -= 1
    close(socket, how)
  }
}

// MARK: Time

extension Server {
  private var nextDeadline: UInt64 {
    min(
      connectDeadlines.next,
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
