import CLinux
import Glibc

/// The worker's end of what its supervisor says: waits for orders, at first on the thread that starts everything, then
/// on one of its own.
final class WorkerInbox: Sendable {
  enum Order {
    case configure(Configuration, ListeningSockets, WorkerSettings)
    case go, handOver, stop
    case switchCopying(isOn: Bool)
    /// The supervisor is gone.
    case end
  }

  private let control: Int32

  init(control: Int32) { self.control = control }

  /// Waits for the next order. What cannot be understood ends the worker's part: as if the supervisor were gone.
  func next() -> Order {
    var sockets: [Int32] = []
    while true {
      var byte: UInt8 = 0
      var descriptors = [Int32](repeating: -1, count: WorkerSettings.socketsAMessage)
      var count = descriptors.count
      let size = clinux_receive_descriptors(control, &byte, 1, &descriptors, &count)
      guard size == 1 else { return .end }
      switch WorkerOrder(rawValue: byte) {
      case .sockets: sockets += descriptors[..<count]
      case .configure:
        guard count == 1 else { return .end }
        return Self.configure(MemoryFile.read(descriptors[0]), sockets)
      case .go: return .go
      case .handOver: return .handOver
      case .endCopies: return .switchCopying(isOn: false)
      case .beginCopies: return .switchCopying(isOn: true)
      case .stop: return .stop
      case nil: return .end
      }
    }
  }

  /// False where something else comes. How copying is switched by then may come before.
  func awaitGo(telling mailbox: Mailbox) -> Bool {
    while true {
      switch next() {
      case .go: return true
      case .switchCopying(let isOn): mailbox.post(.switchCopying(isOn: isOn))
      case .configure, .handOver, .stop, .end: return false
      }
    }
  }

  private static func configure(_ bytes: [UInt8], _ descriptors: [Int32]) -> Order {
    do {
      let settings = try WorkerSettings(bytes)
      let configuration = try settings.text.configuration()
      let threads = settings.threads
      guard threads > 0, configuration.routes.count == settings.routes.count,
        settings.routes.count * threads + settings.admin.count == descriptors.count
      else { return .end }
      let routes = configuration.routes.enumerated().map { index, route in
        ListeningSockets.Listening(
          route: route,
          descriptors: Array(descriptors[index * threads..<(index + 1) * threads]),
          address: settings.routes[index]
        )
      }
      let admin = zip(descriptors[(routes.count * threads)...], settings.admin).map {
        (descriptor: $0, address: $1)
      }
      return .configure(
        configuration,
        ListeningSockets(routes: routes, admin: admin),
        settings
      )
    } catch {
      Log().line("the supervisor's configuration is not understood: \(error)")
      return .end
    }
  }

  /// Goes on on a thread of its own, which hands every order to the server once the gate is open. False when there is no
  /// thread to be had.
  func follow(into mailbox: Mailbox, after start: StartingGate) -> Bool {
    let thread = ServerThread { [self] in
      while start.isOpen {
        switch next() {
        case .configure(let configuration, let sockets, let settings):
          mailbox.post(.configure(configuration, sockets, settings.counters))
        case .go: break
        case .handOver: mailbox.post(.handOver)
        case .switchCopying(let isOn): mailbox.post(.switchCopying(isOn: isOn))
        case .stop: mailbox.post(.stop)
        case .end: return mailbox.post(.orphaned)
        }
      }
    }
    return thread != nil
  }
}
