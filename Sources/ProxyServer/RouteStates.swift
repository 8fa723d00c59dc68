import Duplex

extension Server.RouteState {
  init(_ listening: ListeningSockets.Listening, listener: SocketID?) {
    let route = listening.route
    self.init(
      route: route,
      address: listening.address,
      listener: listener,
      counters: RouteCounters(shadows: route.shadows.count, copies: route.copying.copies)
    )
  }

  /// New connections come by it.
  ///
  /// A place that a change of shadows left is not used again, which costs some hundred bytes a change: the threads'
  /// counters are summed by places and the gates are the threads' together, so all of them would have to agree that its
  /// last connection is over.
  var isCurrent: Bool { next == nil && !isGone }
}

extension Server {
  /// What the admin endpoint tells of: a route once, however often its shadows changed.
  var currentPlaces: [Int] { routes.indices.filter { routes[$0].next == nil } }

  var currentRoutes: [RouteState] { currentPlaces.map { routes[$0] } }

  /// A report of these, in which what came before a change counts with what is now: for the route, and for the shadows
  /// that it still has.
  func ofCurrentRoutes(_ report: Report) -> Report {
    var (report, counted) = (report, report.routes)
    // A report from just before a change lacks the newest places.
    counted += routes[counted.count...].map(\.counters)
    for index in routes.indices {
      guard let next = routes[index].next else { continue }
      counted[next].adopt(counted[index], routes[index].route.shadows, routes[next].route.shadows)
    }
    report.routes = currentPlaces.map { counted[$0] }
    return report
  }
}

extension RouteCounters {
  fileprivate mutating func adopt(
    _ old: RouteCounters,
    _ oldShadows: [SocketAddress],
    _ newShadows: [SocketAddress]
  ) {
    for (place, shadow) in newShadows.enumerated() {
      guard let before = oldShadows.firstIndex(of: shadow) else { continue }
      add(shadow: before, of: old, toShadow: place)
    }
    addConnections(of: old)
  }
}
