import CLinux
import Duplex
import Glibc

/// Whether connections are copied at all, by the admin endpoint's `/shadow/on` and `/shadow/off`. The supervisor knows
/// it for the workers to come; a proxy that is started copies, as its configuration says.
struct CopyingSwitch {
  var isOn = true
  /// Seconds since the epoch.
  var since = time(nil)

  init(isOn: Bool) { self.isOn = isOn }

  init(_ supervision: SupervisionCounters) {
    guard supervision.copyingOffSince != 0 else { return }
    isOn = false
    since = supervision.copyingOffSince
  }
}

/// The running copies being ended after a switch, some a turn.
struct EndingOfCopies {
  static let share = 8

  /// The connection to go on with; nil when there is nothing to end.
  var next: Int?
  /// Admin clients to be told when all are ended, and what else came meanwhile.
  var clients: [Int] = []
  var messages: [Message] = []

  var isUnderWay: Bool { next != nil }
}

extension Server {
  /// The leader's part: tells every thread and the supervisor, and answers when all threads have done it.
  func orderCopying(on isOn: Bool, for client: Int) {
    supervision.carriedOut(.copying(isOn: isOn))
    switchAllCopying(on: isOn)
    ending.clients.append(client)
    if !ending.isUnderWay { copiesEnded() }
  }

  /// The leader's part. Either way the breakers forget what they learnt: `on` after `on` tries every shadow at once.
  func switchAllCopying(on isOn: Bool) {
    if copying.isOn != isOn { log.line("copying is switched \(isOn ? "on" : "off")") }
    gates.forget()
    for sibling in siblings.mailboxes { sibling.post(.copying(isOn: isOn)) }
    switchCopying(on: isOn)
  }

  /// Off: no running copy is given another byte of its client and none is begun, and no relay notices: the copies are
  /// ended some a turn, and until then may take what was queued for them.
  /// On: new connections are copied again. Those that are open stay uncopied, since a copy that begins in the middle of
  /// a stream is garbage.
  func switchCopying(on isOn: Bool) {
    // Those of a switch before: a copy that is running after this was begun after it.
    while ending.isUnderWay { endCopies() }
    if copying.isOn != isOn { copying = CopyingSwitch(isOn: isOn) }
    guard !isOn else { return }
    ending.next = connections.indices.lowerBound
    endCopies()
  }

  /// Ends a turn's share of copies. What the kernel frees with each may be megabytes.
  func endCopies() {
    var left = EndingOfCopies.share
    while left > 0, let index = ending.next {
      guard index < connections.indices.upperBound else {
        ending.next = nil
        return copiesEnded()
      }
      ending.next = index + 1
      guard connections.isLive(index) else { continue }
      for lane in connections[index].lanes.indices
      where connections[index].lanes[lane].socket != nil {
        carryOut(.drop(.switchedOff), index, lane)
        left -= 1
      }
      releaseIfOver(index)
    }
  }

  /// A thread takes its messages in order: what it reports is how it is after the switch.
  private func copiesEnded() {
    let ended = ending
    ending = EndingOfCopies()
    for client in ended.clients { gather(.copying(client: client)) }
    for message in ended.messages { took(message) }
  }

  /// A shadow's breaker as it is now, if it has one. It has no timer: what time alone has changed shows when it is
  /// looked at.
  private func breaker(_ route: Int, _ shadow: Int) -> CircuitBreaker? {
    let now = clinux_monotonic_nanoseconds()
    let (change, breaker) = gates.with(route, shadow) { ($0.passed(now: now), $0.breaker) }
    tell(change, route, shadow)
    return breaker
  }

  /// `copying on since 2026-11-25T13:04:08Z`, then a line for each shadow of each route.
  func copyingResponse(_ report: Report) -> AdminResponse {
    var text = "copying \(copying.isOn ? "on" : "off") since \(Self.written(copying.since))\n"
    for (place, counters) in zip(currentPlaces, report.routes) {
      let route = routes[place]
      for (index, shadow) in route.route.shadows.enumerated() {
        let open = counters.total(ofShadow: index).open
        let breaker = breaker(place, index)?.state.word ?? "off"
        text += "route \(route.address) shadow \(shadow) breaker \(breaker) open \(open)\n"
      }
    }
    return AdminResponse(status: 200, body: text)
  }

  func addCopying(_ report: Report, to page: inout MetricsPage) {
    page.open("duplex_copying", .gauge, "1 while connections are copied, 0 while switched off.")
    page.sample("duplex_copying", copying.isOn ? 1 : 0)
    page.open("duplex_shadow_skipped_total", .counter, "Copies that were not begun, by reason.")
    let shadows = labelledShadows(report)
    for (route, shadow, skips, _) in shadows {
      for skip in ShadowSkip.allCases {
        page.sample(
          "duplex_shadow_skipped_total",
          ["route": route, "shadow": shadow, "reason": skip.rawValue],
          skips[skip] ?? 0
        )
      }
    }
    page.open(
      "duplex_shadow_breaker_state",
      .gauge,
      "0 closed, 1 half-open (one copy is a probe), 2 open (nothing is copied)."
    )
    for (route, shadow, _, breaker) in shadows {
      page.sample(
        "duplex_shadow_breaker_state",
        ["route": route, "shadow": shadow],
        breaker?.state.rawValue ?? 0
      )
    }
    page.open("duplex_shadow_breaker_opened_total", .counter, "Times a breaker opened.")
    for (route, shadow, _, breaker) in shadows {
      page.sample(
        "duplex_shadow_breaker_opened_total",
        ["route": route, "shadow": shadow],
        breaker?.openings ?? 0
      )
    }
  }

  private func labelledShadows(_ report: Report)
    -> [(route: String, shadow: String, skips: [ShadowSkip: Int], breaker: CircuitBreaker?)]
  {
    zip(currentPlaces, report.routes).flatMap { place, counters in
      routes[place].route.shadows.enumerated().map { shadow, address in
        (
          routes[place].address.description, address.description,
          counters.skips[shadow], breaker(place, shadow)
        )
      }
    }
  }

  /// RFC 3339, in UTC.
  private static func written(_ seconds: time_t) -> String {
    var (seconds, parts) = (seconds, tm())
    gmtime_r(&seconds, &parts)
    var text = [CChar](repeating: 0, count: 32)
    let count = strftime(&text, text.count, "%Y-%m-%dT%H:%M:%SZ", &parts)
    return String(decoding: text[..<count].map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

extension CircuitBreaker.State {
  fileprivate var word: String {
    switch self {
    case .closed: "closed"
    case .halfOpen: "half-open"
    case .open: "open"
    }
  }
}
