import CLinux
import Glibc

/// `duplex-proxy worker`: the process that accepts and relays. Its supervisor has started it and talks to it on
/// descriptor 3; nobody else starts it.
enum WorkerProgram {
  static let control: Int32 = 3
  /// The kernel takes half a megabyte for them.
  private static let descriptorRoom = 1 << 16

  /// 0 done, 1 could not start.
  static func main() -> Int32 {
    clinux_set_close_on_exec(control, 1)
    let inbox = WorkerInbox(control: control)
    guard case .configure(let configuration, let sockets, let settings) = inbox.next() else {
      return 1
    }
    let log = Log.running(configuration)
    let limit = clinux_raise_descriptor_limit()
    guard limit > 0, fence(settings.account, configuration, log) else { return 1 }
    clinux_make_room_for_descriptors(Int32(min(limit, Int64(descriptorRoom))))
    let descriptors = DescriptorCount(limit: Int(limit), open: Int(clinux_open_descriptors()))
    guard let shares = ThreadShare.all(settings.threads, descriptors: descriptors) else {
      log.line("could not start: the kernel refused a descriptor")
      return 1
    }
    let supervision = Supervision(counters: settings.counters) { order in
      switch order {
      case .configure: answer(.ready)
      case .handOver: answer(.handedOver)
      case .copying(let isOn): answer(isOn ? .copyingOn : .copyingOff)
      }
    }
    let threads = ServerThreads(
      configuration: configuration,
      sockets: sockets,
      shares: shares,
      log: log,
      supervision: supervision
    )
    return serve(threads, inbox)
  }

  /// Gives up what it may do and need not.
  private static func fence(
    _ account: UserAccount?,
    _ configuration: Configuration,
    _ log: Log
  ) -> Bool {
    if let account {
      let result = clinux_become(account.user, account.group, account.groups, account.groups.count)
      guard result == 0 else {
        log.line(
          "could not start: not allowed to run as user \(account.user), group \(account.group):"
            + " \(String(errno: -result))"
        )
        return false
      }
    }
    let result = clinux_fence(configuration.reachesUnixSockets ? 1 : 0)
    guard result < 0 else { return true }
    log.line(
      "could not start: privileges are not given up: \(String(errno: -result))"
    )
    return false
  }

  private static func serve(_ threads: ServerThreads, _ inbox: WorkerInbox) -> Int32 {
    let (log, engine) = (threads.log, threads.configuration.engine)
    if engine != .epoll {
      if let loops = ServerThreads.loops(threads.shares.count, { UringLoop() }) {
        log.line("serving by io_uring, threads: \(loops.count)")
        return serve(threads, inbox, loops)
      }
      guard engine == nil else {
        log.line("could not start: the kernel has no io_uring for this process (Linux 6.1 has)")
        return 1
      }
      log.line("the kernel has no io_uring for this process, so epoll is used")
    }
    guard let loops = ServerThreads.loops(threads.shares.count, { EpollLoop() }) else {
      log.line("could not start: the kernel gave no epoll descriptor")
      return 1
    }
    log.line("serving by epoll, threads: \(loops.count)")
    return serve(threads, inbox, loops)
  }

  private static func serve(
    _ threads: ServerThreads,
    _ inbox: WorkerInbox,
    _ loops: sending [some EventLoop]
  ) -> Int32 {
    var canFollow = true
    let hasThreads = threads.run(loops) {
      let start = StartingGate()
      return start.open {
        canFollow = inbox.follow(into: threads.shares[0].mailbox, after: start)
        guard canFollow else { return false }
        answer(.ready)
        // Not before this are the listening sockets touched: another worker may still accept on them.
        return inbox.awaitGo(telling: threads.shares[0].mailbox)
      }
    }
    if hasThreads, canFollow { return 0 }
    threads.log.line(
      "could not start: the kernel has no room for \(threads.shares.count + 1) threads"
    )
    return 1
  }

  private static func answer(_ answer: WorkerAnswer) {
    var byte = answer.rawValue
    // Ignored: a supervisor that is gone is noticed by the inbox.
    _ = clinux_send_descriptors(control, &byte, 1, nil, 0)
  }
}
