import CLinux
import Glibc

/// What a supervisor leaves to the executable that takes its process over: the sockets, the workers, and the
/// configuration in force. It is a file in memory, whose descriptor the variable names; the other descriptors it speaks of
/// are open under the same numbers.
///
/// It goes the other way too: an executable that cannot run a worker gives the process back to the one before it.
///
/// An executable that does not know the format refuses it in its trial, and then nothing has happened. So the format's
/// number changes whenever the meaning of what follows does.
struct InheritedState {
  static let variable = "DUPLEX_PROXY_STATE"
  static let format = "duplex-proxy supervisor 2"

  var text: ConfigurationText
  var account: UserAccount?
  var listeners: HeldListeners
  var workers: [WorkerProcess]
  var counters: SupervisionCounters
  /// Where the next executable is looked for.
  var path: String
  /// The executable that leaves this, open, so that the process can be given back to it; -1 when this is what gives it
  /// back.
  var executable: Int32

  var bytes: [UInt8] {
    var fields = Fields()
    fields.append(Self.format)
    text.write(to: &fields)
    UserAccount.write(account, to: &fields)
    listeners.write(to: &fields)
    fields.append(workers.count)
    for worker in workers { worker.write(to: &fields) }
    counters.write(to: &fields)
    fields.append(path)
    fields.append(executable)
    return fields.bytes
  }

  /// The descriptors that have to stay open across the change.
  var descriptors: [Int32] {
    (listeners.descriptors + workers.map(\.control) + [executable]).filter { $0 >= 0 }
  }
}

extension InheritedState {
  init(_ bytes: [UInt8]) throws(Fields.Malformed) {
    var fields = Fields.Reader(bytes)
    guard try fields.text() == Self.format else { throw Fields.Malformed() }
    text = try ConfigurationText(from: &fields)
    account = try UserAccount.read(from: &fields)
    listeners = try HeldListeners(from: &fields)
    workers = try fields.list { reader throws(Fields.Malformed) in
      try WorkerProcess(from: &reader)
    }
    counters = try SupervisionCounters(from: &fields)
    path = try fields.text()
    executable = try fields.number()
  }

  /// The descriptor that the environment names, when an executable before this one has left its state.
  static var descriptor: Int32? {
    getenv(variable).flatMap { Int32(String(cString: $0)) }
  }
}
