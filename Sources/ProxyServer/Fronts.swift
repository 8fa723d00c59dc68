import CLinux
import Duplex

/// What the front of a client's bytes means for the shadows' copy, where the route wants it looked at.
extension Server {
  /// Where the copy is as the client's bytes are from the first one on, there is no front.
  func openFront(_ index: Int, _ descriptor: Int32) {
    let route = routes[connections[index].route].route
    guard route.shadowProxyProtocol != .keep, !connections[index].lanes.isEmpty else { return }
    var change = ShadowFront.Change.strip
    if route.shadowProxyProtocol == .add {
      change = .add(ProxyProtocolHeader.version2(ProxyProtocolHeader.Ends(ofAccepted: descriptor)))
    }
    fronts[index] = ShadowFront(change)
    connections[index].hasFront = true
  }

  /// The client is read from now on: until then it could not have said anything.
  func awaitFront(_ index: Int) {
    frontDeadlines.add(connections.reference(to: index), now: clinux_monotonic_nanoseconds())
  }

  func waitedForFront(_ index: Int) {
    guard let release = fronts[index]?.clientIsSilent() else { return }
    carryOut(release, UnsafeRawBufferPointer(start: nil, count: 0), index)
  }

  /// Sends the shadows what may go to them of the client's bytes.
  func copyFront(_ bytes: UnsafeRawBufferPointer, _ index: Int) {
    guard let release = fronts[index]?.received(bytes, &budget) else { return }
    carryOut(release, bytes, index)
    // The bounds hold for what is held as for what is queued.
    guard let reason = fronts[index]?.refusal(budget) else { return }
    for lane in connections[index].lanes.indices { carryOut(.drop(reason), index, lane) }
    finishFront(index)
  }

  func finishFront(_ index: Int) {
    guard let release = fronts[index]?.clientDone(&budget) else { return }
    carryOut(release, UnsafeRawBufferPointer(start: nil, count: 0), index)
  }

  private func carryOut(
    _ release: ShadowFront.Release,
    _ bytes: UnsafeRawBufferPointer,
    _ index: Int
  ) {
    if release.isOver {
      fronts[index] = nil
      connections[index].hasFront = false
    }
    let rest = UnsafeRawBufferPointer(rebasing: bytes[release.skipped...])
    for lane in connections[index].lanes.indices {
      if !release.before.isEmpty { release.before.withUnsafeBytes { copy($0, index, lane) } }
      if !rest.isEmpty { copy(rest, index, lane) }
    }
  }
}

extension ProxyProtocolHeader.Ends {
  /// Of an accepted connection; nil for a unix socket, and for a connection that is gone already.
  fileprivate init?(ofAccepted descriptor: Int32) {
    var (high, low, port) = (UInt64(0), UInt64(0), UInt16(0))
    guard clinux_peer_endpoint(descriptor, &high, &low, &port) == 0 else { return nil }
    let source = ProxyProtocolHeader.Endpoint(address: IPAddress(high: high, low: low), port: port)
    guard clinux_local_endpoint(descriptor, &high, &low, &port) == 0 else { return nil }
    self.init(
      source: source,
      destination: .init(address: IPAddress(high: high, low: low), port: port)
    )
  }
}
