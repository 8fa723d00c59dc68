import CLinux
import Duplex

/// The admin endpoint's connections and the health probe that is under way.
///
/// It answers one request a connection, holds a bounded number of clients, each for a bounded time, and reads
/// no more than a header of each: a slow or senseless client costs a descriptor for some seconds, no more.
struct AdminEndpoint {
  struct Client {
    let socket: SocketID
    let number: Int
    var input: [UInt8] = []
    var isHead = false
    var isAnswered = false
    /// Its request has come.
    var hasAsked = false
    /// Bytes of the answer that it has yet to take.
    var owed = 0
    /// It has sent its FIN.
    var hasEnded = false
    /// It has been sent one.
    var isFinished = false
  }

  /// One look at every primary.
  struct Probe {
    /// By route; nil once the primary has answered in either way.
    var sockets: [SocketID?]
    var failures: [Int: String] = [:]
    /// Threads that have to show that they are alive are still to answer.
    var awaitsThreads = true
    var hangingThreads = 0
    /// Admin clients that wait for the outcome.
    var waiting: [Int]
    let number: Int

    var isOver: Bool { !awaitsThreads && sockets.allSatisfy { $0 == nil } }
  }

  /// More clients than this are not held: the one that has been silent for longest goes.
  static let clientLimit = 64

  var clients: [Int: Client] = [:]
  var probe: Probe?
  var clientDeadlines: DeadlineQueue<Int>
  var probeDeadlines: DeadlineQueue<Int>
  private var lastNumber = 0

  init(limits: Limits) {
    clientDeadlines = DeadlineQueue(delay: limits.adminTimeout)
    probeDeadlines = DeadlineQueue(delay: limits.probeTimeout)
  }

  var nextDeadline: UInt64 { min(clientDeadlines.next, probeDeadlines.next) }

  /// Of those that have not asked for anything yet, where there is one.
  var oldestClient: Int? {
    clients.values.filter { !$0.hasAsked }.map(\.number).min()
      ?? clients.keys.min()
  }

  /// A number that is never given again.
  mutating func nextNumber() -> Int {
    lastNumber += 1
    return lastNumber
  }
}

extension Server {
  func adminCompleted(_ completion: Completion, tag: Tag, socket: SocketID) {
    switch tag.role {
    case .adminListener: adminAccepted(completion, socket)
    case .probe: probed(completion, route: tag.index)
    default: adminClientCompleted(completion, tag.index)
    }
  }

  func fireAdminDeadlines(_ now: UInt64) {
    while let number = admin.clientDeadlines.popDue(now: now) { endAdmin(number, .reset) }
    while let number = admin.probeDeadlines.popDue(now: now) {
      guard let probe = admin.probe, probe.number == number else { continue }
      for route in probe.sockets.indices where probe.sockets[route] != nil {
        probeEnded(route, failure: "did not accept a connection in time")
      }
    }
  }

  private func adminAccepted(_ completion: Completion, _ listener: SocketID) {
    switch completion {
    case .accepted(let descriptor): acceptAdmin(descriptor)
    case .acceptFailed: retryAccepting(listener)
    default: break
    }
  }

  func acceptAdmin(_ descriptor: Int32) {
    let number = admin.nextNumber()
    guard let socket = adopt(descriptor, tag: Tag(role: .admin, index: number)) else { return }
    if admin.clients.count == AdminEndpoint.clientLimit, let oldest = admin.oldestClient {
      endAdmin(oldest, .reset)
    }
    admin.clients[number] = AdminEndpoint.Client(socket: socket, number: number)
    admin.clientDeadlines.add(number, now: clinux_monotonic_nanoseconds())
    loop.receive(socket, .bytes)
  }

  private func adminClientCompleted(_ completion: Completion, _ number: Int) {
    guard let client = admin.clients[number] else { return }
    switch completion {
    case .received(let bytes) where !client.isAnswered:
      admin.clients[number]?.input += bytes.prefix(AdminRequest.limit + 1)
      answerRequest(number)
    case .received:
      // Bytes after the request are read and ignored, so that closing does not reset the answer.
      break
    case .settled(let owed):
      answered(client, owed: owed)
    case .sent(let count):
      answered(client, owed: client.owed - count)
    case .ended where client.hasAsked:
      admin.clients[number]?.hasEnded = true
      if client.isFinished { endAdmin(number, .orderly) }
    case .ended, .failed, .sendFailed, .lost:
      endAdmin(number, .orderly)
    case .accepted, .acceptFailed, .connected, .discarded, .forwarded: break
    }
  }

  private func answerRequest(_ number: Int) {
    guard let client = admin.clients[number], !client.hasAsked else { return }
    let request = AdminRequest(client.input)
    admin.clients[number]?.hasAsked = request != .incomplete
    switch request {
    case .incomplete: return
    case .malformed: answer(number, AdminResponse(status: 400, body: "not a request\n"))
    case .otherMethod: answer(number, AdminResponse(status: 405, body: "only GET is answered\n"))
    case .changeForPage:
      answer(number, AdminResponse(status: 403, body: "no page may change anything here\n"))
    case .change(let path): change(path, for: number)
    case .get(let path, let isHead):
      admin.clients[number]?.isHead = isHead
      switch path {
      case "/health": startProbe(for: number)
      case "/metrics": gather(.metrics(client: number))
      case "/version":
        answer(number, AdminResponse(status: 200, body: "duplex-proxy \(Version.text)\n"))
      case "/shadow": gather(.copying(client: number))
      case "/shadow/on", "/shadow/off":
        answer(number, AdminResponse(status: 405, body: "PUT or POST changes it\n"))
      default:
        answer(number, AdminResponse(status: 404, body: "/health /metrics /shadow /version\n"))
      }
    }
  }

  /// What a PUT or POST asks for. It may be sent again: both ways the switch is then as asked.
  private func change(_ path: String, for client: Int) {
    switch path {
    case "/shadow/on": orderCopying(on: true, for: client)
    case "/shadow/off": orderCopying(on: false, for: client)
    case "/health", "/metrics", "/shadow", "/version":
      answer(client, AdminResponse(status: 405, body: "only GET is answered\n"))
    default: answer(client, AdminResponse(status: 404, body: "/shadow/on /shadow/off\n"))
    }
  }

  func answer(_ number: Int, _ response: AdminResponse) {
    guard let client = admin.clients[number], !client.isAnswered else { return }
    admin.clients[number]?.isAnswered = true
    admin.clients[number]?.input = []
    let bytes = response.bytes(isHead: client.isHead)
    let sending = bytes.withUnsafeBytes { loop.send($0, on: client.socket) }
    if case .taken(let owed) = sending { answered(client, owed: owed) }
  }

  private func answered(_ client: AdminEndpoint.Client, owed: Int) {
    admin.clients[client.number]?.owed = owed
    guard owed == 0 else { return }
    if client.hasEnded { return endAdmin(client.number, .orderly) }
    admin.clients[client.number]?.isFinished = true
    loop.finish(client.socket)
  }

  private func endAdmin(_ number: Int, _ how: Closing) {
    guard let client = admin.clients.removeValue(forKey: number) else { return }
    close(client.socket, how)
  }
}

// MARK: Health

extension Server {
  /// A fresh connection to every primary; a request that comes while one is under way waits for its outcome.
  private func startProbe(for client: Int) {
    if phase != .serving {
      return answer(client, AdminResponse(status: 503, body: "stopping\n"))
    }
    guard admin.probe == nil else {
      admin.probe?.waiting.append(client)
      return
    }
    let number = admin.nextNumber()
    admin.probe = AdminEndpoint.Probe(
      sockets: Array(repeating: nil, count: routes.count),
      waiting: [client],
      number: number
    )
    admin.probeDeadlines.add(number, now: clinux_monotonic_nanoseconds())
    for index in routes.indices where routes[index].isCurrent {
      guard routes[index].listener != nil else {
        admin.probe?.failures[index] = "is not listening"
        continue
      }
      let tag = Tag(role: .probe, index: index)
      if let socket = open(routes[index].route.primary, tag: tag) {
        admin.probe?.sockets[index] = socket
      } else {
        admin.probe?.failures[index] = "could not be tried for want of descriptors"
      }
    }
    gather(.health(probe: number))
    concludeProbe()
  }

  func threadsAnswered(_ number: Int, hanging: Int) {
    guard admin.probe?.number == number else { return }
    admin.probe?.awaitsThreads = false
    admin.probe?.hangingThreads = hanging
    concludeProbe()
  }

  private func probed(_ completion: Completion, route: Int) {
    switch completion {
    case .connected: probeEnded(route, failure: nil)
    case .failed(let errno):
      probeEnded(route, failure: "refused a connection: \(String(errno: errno))")
    default: break
    }
  }

  private func probeEnded(_ route: Int, failure: String?) {
    guard let socket = admin.probe?.sockets[route] else { return }
    admin.probe?.sockets[route] = nil
    admin.probe?.failures[route] = failure
    close(socket, .orderly)
    concludeProbe()
  }

  private func concludeProbe() {
    guard let probe = admin.probe, probe.isOver else { return }
    admin.probe = nil
    let lines = probe.sockets.indices.filter { routes[$0].isCurrent }.map { index in
      let route = routes[index]
      let outcome = probe.failures[index].map { "primary \(route.route.primary) \($0)" } ?? "ok"
      return "\(route.address): \(outcome)\n"
    }
    let hanging = probe.hangingThreads
    let response = AdminResponse(
      status: probe.failures.isEmpty && hanging == 0 ? 200 : 503,
      body: lines.joined()
        + (hanging > 0 ? "\(hanging) of the proxy's threads do not answer\n" : "")
    )
    for client in probe.waiting { answer(client, response) }
  }
}
