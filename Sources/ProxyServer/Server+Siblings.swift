import CLinux
import Duplex

/// A proxy is one server a thread. They share the count of descriptors and the shadows' gates, and nothing on the path of
/// a byte: the leader, which has the admin endpoint and hears from the supervisor, tells the others what is wanted and asks
/// them what they have counted.
struct Siblings {
  /// What the leader does with the reports when it has them all.
  enum Purpose {
    case metrics(client: Int)
    case copying(client: Int)
    case health(probe: Int)
  }

  struct Gathering {
    let purpose: Purpose
    var reports: [Report]
    var missing: Int
  }

  /// The other threads, of the leader alone.
  let mailboxes: [Mailbox]
  /// Of every other thread.
  let leader: Mailbox?
  /// Other threads that have not finished.
  var running: Int
  /// Threads that have not carried out the supervisor's order yet.
  var busy = 0
  var gatherings: [Int: Gathering] = [:]
  var deadlines: DeadlineQueue<Int>

  init(mailboxes: [Mailbox], leader: Mailbox?, limits: Limits) {
    self.mailboxes = mailboxes
    self.leader = leader
    running = mailboxes.count
    deadlines = DeadlineQueue(delay: limits.probeTimeout)
  }
}

extension Server {
  var report: Report {
    Report(routes: routes.map(\.counters), acceptFailures: acceptFailures, queued: budget.used)
  }

  func mailboxCompleted(_ completion: Completion) {
    guard case .received = completion else { return }
    for message in mailbox.take() { took(message) }
  }

  func took(_ message: Message) {
    guard !ending.isUnderWay else { return ending.messages.append(message) }
    switch message {
    case .stop:
      for sibling in siblings.mailboxes { sibling.post(.stop) }
      stop()
    case .copying(let isOn): switchCopying(on: isOn)
    case .switchCopying(let isOn): switchAllCopying(on: isOn)
    case .report(let number, let leader): leader.post(.reported(number: number, report))
    case .reported(let number, let report): gathered(report, number)
    case .finished: siblings.running -= 1
    case .handOver, .orphaned, .configure: tookOrder(message)
    case .carriedOut: siblingCarriedOut()
    }
  }

  /// Asks every thread for its report, the leader's own included.
  func gather(_ purpose: Siblings.Purpose) {
    let number = admin.nextNumber()
    siblings.gatherings[number] = Siblings.Gathering(
      purpose: purpose,
      reports: [report],
      missing: siblings.running
    )
    for sibling in siblings.mailboxes { sibling.post(.report(number: number, to: mailbox)) }
    siblings.deadlines.add(number, now: clinux_monotonic_nanoseconds())
    conclude(number)
  }

  private func gathered(_ report: Report, _ number: Int) {
    siblings.gatherings[number]?.reports.append(report)
    siblings.gatherings[number]?.missing -= 1
    conclude(number)
  }

  private func conclude(_ number: Int) {
    guard siblings.gatherings[number]?.missing == 0,
      let gathering = siblings.gatherings.removeValue(forKey: number)
    else { return }
    switch gathering.purpose {
    case .metrics(let client):
      answer(client, metricsResponse(ofCurrentRoutes(Report.sum(gathering.reports))))
    case .copying(let client):
      answer(client, copyingResponse(ofCurrentRoutes(Report.sum(gathering.reports))))
    case .health(let probe): threadsAnswered(probe, hanging: 0)
    }
  }

  func fireSiblingDeadlines(_ now: UInt64) {
    while let number = siblings.deadlines.popDue(now: now) {
      guard let gathering = siblings.gatherings.removeValue(forKey: number) else { continue }
      switch gathering.purpose {
      case .metrics(let client), .copying(let client):
        let text = "\(gathering.missing) of the proxy's threads do not answer\n"
        answer(client, AdminResponse(status: 503, body: text))
      case .health(let probe): threadsAnswered(probe, hanging: gathering.missing)
      }
    }
  }
}
