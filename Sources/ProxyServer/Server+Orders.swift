import CLinux
import Duplex
import Glibc

/// What a supervisor asks of a running server.
extension Server {
  func tookOrder(_ message: Message) {
    for sibling in siblings.mailboxes { sibling.post(message) }
    siblings.busy = siblings.mailboxes.count
    switch message {
    case .orphaned:
      // A supervisor that is started again wants to listen on it, whatever is still open here.
      closeAdminListeners()
      if phase == .serving { stop() }
    case .configure(let configuration, let sockets, let counters):
      supervision.counters = counters
      reconfigure(configuration, sockets)
      owesAnswer = true
    case .handOver:
      handOver()
      owesAnswer = true
    case .stop, .report, .reported, .finished, .carriedOut, .copying, .switchCopying: break
    }
  }

  /// Tells that the loop has done what an order made of it: the leader its supervisor, the others the leader.
  func answerOrder() {
    guard siblings.busy == 0 else { return }
    owesAnswer = false
    if let leader = siblings.leader {
      leader.post(.carriedOut)
    } else {
      supervision.carriedOut(isHandedOver ? .handOver : .configure)
    }
  }

  func siblingCarriedOut() { siblings.busy -= 1 }

  /// Whether a draining server has nothing left to do. Who has handed over keeps also the shadows' rest and the
  /// admin endpoint's clients: nobody waits for its end.
  var isIdle: Bool {
    isHandedOver
      ? connections.count == 0 && admin.clients.isEmpty && !owesAnswer : openRelays == 0
  }

  private func handOver() {
    guard phase == .serving else { return }
    for index in routes.indices {
      guard let listener = routes[index].listener else { continue }
      loop.close(listener, .orderly)
      routes[index].listener = nil
    }
    closeAdminListeners()
    phase = .draining
    isHandedOver = true
    let now = clinux_monotonic_nanoseconds()
    drainDeadline = now &+ limits.drainTimeout
    cutDeadline = now &+ limits.drainTimeout &* Limits.handedOverDrains
    if siblings.leader == nil { log.line("handing over: what is open may finish") }
  }

  private func closeAdminListeners() {
    for listener in adminListeners { loop.close(listener.socket, .orderly) }
    adminListeners = []
  }

  /// Ends the connections that wait for nothing: kept-alive ones between two requests, as any server does after a
  /// while. One that is in the middle of something goes on.
  func closeQuiet() {
    for index in connections.indices where connections.isLive(index) {
      let connection = connections[index]
      guard !connection.isRelayOver, connection.isPrimaryConnected,
        loop.answeredMilliseconds(connection.client) >= Int(limits.quiet / 1_000_000)
      else { continue }
      endRelay(index, .orderly)
    }
  }

  /// The configuration for connections that begin from now on; open ones keep their primary and their shadows. What
  /// bounds memory holds for all.
  private func reconfigure(_ configuration: Configuration, _ sockets: ListeningSockets) {
    guard phase == .serving else {
      for listening in sockets.routes { Glibc.close(listening.descriptors[share.index]) }
      if share.leader == nil { for descriptor in sockets.admin { Glibc.close(descriptor) } }
      return
    }
    limits = configuration.limits
    log = .running(configuration)
    budget.change(
      perConnection: limits.shadowBuffer,
      total: limits.shadowBufferTotal / share.count
    )
    connectDeadlines.delay = limits.connectTimeout
    for index in routes.indices {
      let address = routes[index].address
      let isWanted = sockets.routes.contains { $0.address == address }
      if !isWanted, routes[index].next == nil { giveUpRoute(index) }
    }
    for listening in sockets.routes { take(listening) }
    if share.leader == nil { changeAdmin(sockets) }
  }

  private func changeAdmin(_ sockets: ListeningSockets) {
    for listener in adminListeners where !sockets.adminAddresses.contains(listener.address) {
      close(listener.socket, .orderly)
    }
    adminListeners.removeAll { !sockets.adminAddresses.contains($0.address) }
    for (descriptor, address) in zip(sockets.admin, sockets.adminAddresses) {
      takeAdmin(descriptor, address)
    }
  }

  private func giveUpRoute(_ index: Int) {
    routes[index].isGone = true
    guard let listener = routes[index].listener else { return }
    loop.drainAccepts(listener) { begin($0, index) }
    close(listener, .orderly)
    routes[index].listener = nil
  }

  private func take(_ listening: ListeningSockets.Listening) {
    let index = place(for: listening)
    let descriptor = listening.descriptors[share.index]
    guard routes[index].listener == nil else {
      Glibc.close(descriptor)
      return
    }
    routes[index].listener = adopt(descriptor, tag: Tag(role: .listener, index: index))
    if let listener = routes[index].listener {
      loop.accept(listener)
    }
  }

  /// The state of a route's new connections. All threads come to the same places, as what they count is summed by them.
  private func place(for listening: ListeningSockets.Listening) -> Int {
    let present = routes.lastIndex { $0.address == listening.address && $0.next == nil }
    if let present {
      routes[present].isGone = false
      let old = routes[present].route
      if old.shadows == listening.route.shadows, old.copying == listening.route.copying {
        routes[present].route = listening.route
        return present
      }
    }
    let place = routes.count
    routes.append(RouteState(listening, listener: nil))
    gates.add(place, listening.route, limits)
    if let present {
      routes[place].listener = routes[present].listener
      routes[present].listener = nil
      routes[present].next = place
    }
    return place
  }

  private func takeAdmin(_ descriptor: Int32, _ address: SocketAddress) {
    guard !adminListeners.contains(where: { $0.address == address }) else {
      Glibc.close(descriptor)
      return
    }
    let tag = Tag(role: .adminListener, index: adminListeners.count)
    guard let listener = adopt(descriptor, tag: tag) else { return }
    adminListeners.append((address, listener))
    loop.accept(listener)
  }
}
