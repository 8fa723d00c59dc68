import CLinux
import Duplex

/// What the front of a client's bytes means for the shadows' copy, where the route wants it looked at.
extension Server {
  /// Nil where the copy is as the client's bytes are from the first one on.
  func front(of descriptor: Int32, _ route: Route) -> ShadowFront? {
    guard !route.shadows.isEmpty else { return nil }
    switch route.shadowProxyProtocol {
    case .keep: return nil
    case .strip: return ShadowFront(.strip)
    case .add:
      let ends = ProxyProtocolHeader.Ends(ofAccepted: descriptor)
      return ShadowFront(.add(ProxyProtocolHeader.version2(ends)))
    }
  }

  /// The client is read from now on: until then it could not have said anything.
  func awaitFront(_ index: Int) {
    frontDeadlines.add(connections.reference(to: index), now: clinux_monotonic_nanoseconds())
  }

  func waitedForFront(_ index: Int) {
    guard let release = connections[index].front?.clientIsSilent() else { return }
    carryOut(release, UnsafeRawBufferPointer(start: nil, count: 0), index)
  }

  /// Sends the shadows what may go to them of the client's bytes.
  func copyFront(_ bytes: UnsafeRawBufferPointer, _ index: Int) {
    guard let release = connections[index].front?.received(bytes, &budget) else { return }
    carryOut(release, bytes, index)
    // The bounds hold for what is held as for what is queued.
    guard let reason = connections[index].front?.refusal(budget) else { return }
    for lane in connections[index].lanes.indices { carryOut(.drop(reason), index, lane) }
    finishFront(index)
  }

  func finishFront(_ index: Int) {
    guard let release = connections[index].front?.clientDone(&budget) else { return }
    carryOut(release, UnsafeRawBufferPointer(start: nil, count: 0), index)
  }

  private func carryOut(
    _ release: ShadowFront.Release,
    _ bytes: UnsafeRawBufferPointer,
    _ index: Int
  ) {
    if release.isOver { connections[index].front = nil }
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
