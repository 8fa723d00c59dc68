import Duplex

/// The flags, read by ourselves: their order matters (a route's flags follow its --listen), files of flags are
/// the same language, every problem is to be reported with its place, and the executable stays small.
/// ArgumentParser does none of these well.
package struct Flags {
  /// Where a word was written, for messages: `argument 3`, `proxy.conf:12`.
  package struct Problem: Error, Equatable, CustomStringConvertible {
    package let place: String
    package let text: String

    package var description: String { "\(place): \(text)" }
  }

  package struct Problems: Error, Equatable {
    package let all: [Problem]
  }

  /// Reads the named file; the reason it cannot be read as text otherwise.
  package typealias FileReader = (String) -> Result<String, Problem>

  private struct OpenRoute {
    var place: String
    var listen: Listening?
    /// An IP literal, and where it was written.
    var bind: (literal: String, place: String)?
    var listenMode: (mode: UInt16, place: String)?
    var allowed: [AddressRange] = []
    var primary: SocketAddress?
    /// em-proxy takes --relay and --socket together, and then uses the socket.
    var socket: SocketAddress?
    var shadows: [SocketAddress] = []
    var copying = CopyingPolicy()
    var shadowProxyProtocol = ShadowProxyProtocol.keep
    /// A part of it was wrong and has been reported: what is missing need not be.
    var isFaulty = false
  }

  /// What --listen names: a port of the address that --bind names, or all of it.
  enum Listening {
    case port(UInt16)
    case address(SocketAddress)
  }

  private var configuration = Configuration()
  private var problems: [Problem] = []
  private var open: [OpenRoute] = []

  /// The configuration that the arguments, and the files they name, describe; or every problem in them.
  package static func parse(
    _ arguments: [String],
    readFile: FileReader
  ) throws(Problems) -> Configuration {
    var flags = Flags()
    flags.take(arguments, readFile)
    flags.closeRoutes()
    if !flags.problems.isEmpty { throw Problems(all: flags.problems) }
    return flags.configuration
  }

  mutating func report(_ place: String, _ text: String) {
    problems.append(Problem(place: place, text: text))
  }
}

// MARK: Words

extension Flags {
  private mutating func take(_ arguments: [String], _ readFile: FileReader) {
    var position = 0
    while position < arguments.count {
      let place = "argument \(position + 1)"
      let (name, attached) = Self.split(arguments[position])
      position += 1
      guard let flag = Flag(rawValue: name) else {
        report(place, "unknown flag \(name); --help lists them")
        // A word that is no flag is its value, and no mistake of its own.
        if attached == nil, position < arguments.count, !arguments[position].hasPrefix("-") {
          position += 1
        }
        continue
      }
      guard flag.takesValue else {
        if attached != nil { report(place, "\(name) takes no value") }
        take(flag, "", place)
        continue
      }
      var value = attached
      if value == nil, position < arguments.count {
        value = arguments[position]
        position += 1
      }
      guard let value else {
        report(place, "\(name) needs a value")
        continue
      }
      if flag == .config {
        takeFile(value, place, readFile)
      } else {
        take(flag, value, place)
      }
    }
  }

  private mutating func takeFile(_ path: String, _ place: String, _ readFile: FileReader) {
    let text: String
    switch readFile(path) {
    case .success(let content): text = content
    case .failure(let problem): return report(place, problem.text)
    }
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    for (index, line) in lines.enumerated() {
      let words = line.split { $0 == " " || $0 == "\t" }
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      takeLine(words.map(String.init), "\(path):\(index + 1)")
    }
  }

  private mutating func takeLine(_ words: [String], _ place: String) {
    let (name, attached) = Self.split(words[0])
    guard let flag = Flag(rawValue: name), flag != .config else {
      return report(place, "\(name) is no flag for a configuration file")
    }
    let rest = words.dropFirst().prefix { !$0.hasPrefix("#") }
    let values = (attached.map { [$0] } ?? []) + rest
    switch (flag.takesValue, values.count) {
    case (true, 1): take(flag, values[0], place)
    case (false, 0): take(flag, "", place)
    case (true, 0): report(place, "\(name) needs a value")
    // `-d a, b`: a list may have spaces after its commas.
    case (true, _) where flag == .duplicate || flag == .allow: take(flag, values.joined(), place)
    case (true, _): report(place, "\(name) takes one value")
    case (false, _): report(place, "\(name) takes no value")
    }
  }

  /// `--flag=value` is one word.
  private static func split(_ word: String) -> (name: String, value: String?) {
    guard word.hasPrefix("--"), let equals = word.firstIndex(of: "=") else { return (word, nil) }
    return (String(word[..<equals]), String(word[word.index(after: equals)...]))
  }
}

// MARK: Meanings

extension Flags {
  enum Flag: RawRepresentable {
    case listen, relay, socket, duplicate, verbose, bind, config, admin, user
    case listenMode, allow, shadowProxyProtocol
    case shadowBuffer, shadowBufferTotal, connectTimeout, drainTimeout, engine, threads
    case copying(CopyingFlag)

    init?(rawValue: String) {
      switch rawValue {
      case "-l", "--listen": self = .listen
      case "-r", "--relay": self = .relay
      case "-s", "--socket": self = .socket
      // em-proxy calls it --duplex.
      case "-d", "--duplicate", "--duplex": self = .duplicate
      case "-v", "--verbose": self = .verbose
      case "--bind": self = .bind
      case "--listen-mode": self = .listenMode
      case "--allow": self = .allow
      case "--shadow-proxy-protocol": self = .shadowProxyProtocol
      case "--config": self = .config
      case "--admin": self = .admin
      case "--shadow-buffer": self = .shadowBuffer
      case "--shadow-buffer-total": self = .shadowBufferTotal
      case "--connect-timeout": self = .connectTimeout
      case "--drain-timeout": self = .drainTimeout
      case "--engine": self = .engine
      case "--threads": self = .threads
      case "--user": self = .user
      default:
        guard let flag = CopyingFlag(rawValue: rawValue) else { return nil }
        self = .copying(flag)
      }
    }

    var rawValue: String {
      switch self {
      case .listen: "--listen"
      case .relay: "--relay"
      case .socket: "--socket"
      case .duplicate: "--duplicate"
      case .verbose: "--verbose"
      case .bind: "--bind"
      case .listenMode: "--listen-mode"
      case .allow: "--allow"
      case .shadowProxyProtocol: "--shadow-proxy-protocol"
      case .config: "--config"
      case .admin: "--admin"
      case .shadowBuffer: "--shadow-buffer"
      case .shadowBufferTotal: "--shadow-buffer-total"
      case .connectTimeout: "--connect-timeout"
      case .drainTimeout: "--drain-timeout"
      case .engine: "--engine"
      case .threads: "--threads"
      case .user: "--user"
      case .copying(let flag): flag.rawValue
      }
    }

    var takesValue: Bool { self != .verbose }
  }

  private mutating func take(_ flag: Flag, _ value: String, _ place: String) {
    switch flag {
    case .config: break
    case .verbose: configuration.isVerbose = true
    case .listen: takeListen(value, place)
    case .bind: takeBind(value, place)
    case .listenMode: takeRoute(fileMode(value, place, flag), place) { $0.listenMode = ($1, place) }
    case .allow: takeRoute(ranges(value, place, flag), place) { $0.allowed += $1 }
    case .shadowProxyProtocol:
      takeRoute(proxyProtocol(value, place, flag), place) { $0.shadowProxyProtocol = $1 }
    case .relay: takePrimary(endpoint(value, place, flag), \.primary, place)
    case .socket: takePrimary(unixSocket(value, place, flag), \.socket, place)
    case .duplicate:
      for part in value.split(separator: ",", omittingEmptySubsequences: false) {
        let address = endpoint(String(part.filter { $0 != " " }), place, flag)
        changeRoute(place) {
          if let address { $0.shadows.append(address) } else { $0.isFaulty = true }
        }
      }
    case .admin:
      guard let address = endpoint(value, place, flag, allowingPortZero: true) else { return }
      guard address.isLoopback else {
        return report(place, "--admin \(value): only 127.0.0.0/8, [::1] or unix:PATH")
      }
      configuration.admin.append(address)
    case .shadowBuffer: take(size(value, place, flag)) { $0.shadowBuffer = $1 }
    case .shadowBufferTotal: take(size(value, place, flag)) { $0.shadowBufferTotal = $1 }
    case .connectTimeout: take(duration(value, place, flag)) { $0.connectTimeout = $1 }
    case .drainTimeout: take(duration(value, place, flag)) { $0.drainTimeout = $1 }
    case .user:
      guard UserAccount.isWellFormed(value) else {
        return report(place, "--user \(value): NAME or NAME:GROUP was expected, or numbers")
      }
      configuration.user = value
    case .copying(let flag):
      var isFaulty = false
      changeRoute(place) {
        isFaulty = !flag.change(&$0.copying, to: value)
        $0.isFaulty = $0.isFaulty || isFaulty
      }
      if isFaulty { report(place, "\(flag.rawValue) \(value): \(flag.expected) was expected") }
    case .engine:
      configuration.engine = Engine(rawValue: value)
      guard configuration.engine != nil || value == "auto" else {
        return report(place, "--engine \(value): auto, io_uring or epoll was expected")
      }
    case .threads:
      guard let threads = Int(value), (1...256).contains(threads) else {
        return report(place, "--threads \(value): a number of 1 to 256 was expected")
      }
      configuration.threads = threads
    }
  }

  private mutating func take<Value>(_ value: Value?, _ change: (inout Limits, Value) -> Void) {
    if let value { change(&configuration.limits, value) }
  }

  /// A part of the route that is open; nil was wrong, and has been reported.
  private mutating func takeRoute<Value>(
    _ value: Value?,
    _ place: String,
    _ change: (inout OpenRoute, Value) -> Void
  ) {
    changeRoute(place) { if let value { change(&$0, value) } else { $0.isFaulty = true } }
  }

  private mutating func takeListen(_ value: String, _ place: String) {
    let listen = listening(value, place)
    // Flags before the first --listen belong to it, as em-proxy's may stand in any order.
    if open.count == 1, open[0].listen == nil, !open[0].isFaulty {
      open[0].listen = listen
    } else {
      open.append(OpenRoute(place: place, listen: listen))
    }
    if listen == nil { open[open.count - 1].isFaulty = true }
  }

  private mutating func takeBind(_ value: String, _ place: String) {
    let literal = Self.withoutBrackets(value)
    let isLiteral = SocketAddress(literal: literal, port: 0) != nil
    if !isLiteral { report(place, "--bind \(value): an IP address was expected") }
    changeRoute(place) {
      if isLiteral { $0.bind = (literal, place) } else { $0.isFaulty = true }
    }
  }

  private mutating func takePrimary(
    _ address: SocketAddress?,
    _ kind: WritableKeyPath<OpenRoute, SocketAddress?>,
    _ place: String
  ) {
    var isSecond = false
    changeRoute(place) {
      guard let address else {
        $0.isFaulty = true
        return
      }
      isSecond = $0[keyPath: kind] != nil
      $0[keyPath: kind] = address
    }
    if isSecond { report(place, "a second primary; each --listen opens a route with one") }
  }

  private mutating func changeRoute(_ place: String, _ change: (inout OpenRoute) -> Void) {
    if open.isEmpty { open.append(OpenRoute(place: place)) }
    change(&open[open.count - 1])
  }
}

// MARK: Routes

extension Flags {
  private mutating func closeRoutes() {
    if open.isEmpty, problems.isEmpty {
      report("configuration", "no route: --listen PORT and --relay IP:PORT are needed")
    }
    for route in open where !route.isFaulty { close(route) }
    let limits = configuration.limits
    if limits.shadowBufferTotal < limits.shadowBuffer {
      report(
        "configuration",
        "--shadow-buffer-total (\(limits.shadowBufferTotal)) is less than --shadow-buffer (\(limits.shadowBuffer))"
      )
    }
  }

  private mutating func close(_ route: OpenRoute) {
    guard let listening = route.listen else {
      return report(route.place, "a route without --listen PORT")
    }
    guard let listen = address(listening, route) else { return }
    guard let primary = route.socket ?? route.primary else {
      return report(
        route.place,
        "--listen \(listening) has no primary: --relay or --socket is needed"
      )
    }
    if let (_, place) = route.listenMode, listen.unixPath == nil {
      report(place, "--listen-mode: \(listen) is no unix socket, so it has no file")
    }
    if !route.allowed.isEmpty, listen.unixPath != nil {
      report(
        route.place,
        "--allow: clients of \(listen) have no address; --listen-mode says who may connect"
      )
    }
    var closed = Route(listen: listen, primary: primary, shadows: route.shadows)
    closed.copying = route.copying
    closed.listenMode = route.listenMode?.mode
    closed.allowed = route.allowed
    closed.shadowProxyProtocol = route.shadowProxyProtocol
    add(closed, route.place)
  }

  /// Where the route listens; nil is reported.
  private mutating func address(_ listening: Listening, _ route: OpenRoute) -> SocketAddress? {
    switch (listening, route.bind) {
    case (.port(let port), let bind):
      return SocketAddress(literal: bind?.literal ?? "0.0.0.0", port: port)
    case (.address(let address), nil): return address
    case (.address(let address), let (literal, place)?):
      report(place, "--bind \(literal): --listen \(address) has an address of its own already")
      return nil
    }
  }

  private mutating func add(_ route: Route, _ place: String) {
    let isTaken = configuration.routes.contains { $0.listen == route.listen }
    if isTaken, route.listen.port != 0 {
      return report(place, "\(route.listen) is listened on by another route already")
    }
    for address in [route.primary] + route.shadows where address.reaches(route.listen) {
      report(place, "\(address) is the route's own listening address: it would feed itself")
    }
    for (index, shadow) in route.shadows.enumerated() where route.shadows[..<index].contains(shadow)
    {
      return report(place, "--duplicate \(shadow) is given twice; --amplify copies more than once")
    }
    if let problem = route.copying.problem(shadows: route.shadows.count) {
      return report(place, problem)
    }
    configuration.routes.append(route)
  }
}
