import CLinux
import Glibc

/// What a supervisor says to its worker: messages of one byte on descriptor 3 of the worker.
///
/// A supervisor only starts workers of its own executable, but after an upgrade it gives orders to one of the
/// executable before it, while that one ends: the bytes of `handOver`, of its answer, of `endCopies` and of `beginCopies`
/// must stay what they are.
enum WorkerOrder: UInt8 {
  /// Some of the listening sockets, for the next `configure`.
  case sockets = 0x64  // d
  /// With a file of `WorkerSettings`: take this configuration on.
  case configure = 0x63  // c
  /// Accept.
  case go = 0x67  // g
  /// Stop accepting, tell, finish what is open, and end.
  case handOver = 0x68  // h
  /// End all copies, and begin none.
  case endCopies = 0x65  // e
  /// Copy what connects from now on.
  case beginCopies = 0x62  // b
  /// Take what waits, stop listening, finish what is open, and end.
  case stop = 0x73  // s
}

/// What a worker answers, also one byte.
enum WorkerAnswer: UInt8 {
  /// The configuration is taken on; the first time: all is ready to accept.
  case ready = 0x72  // r
  /// Nothing more is accepted here.
  case handedOver = 0x68  // h
  /// Said of its own accord: copying has been switched.
  case copyingOn = 0x2b  // +
  case copyingOff = 0x2d  // -
}

/// What a worker is told with `configure`.
struct WorkerSettings {
  static let format = "duplex-proxy worker 1"
  /// Descriptors in one message.
  static let socketsAMessage = 200

  var text: ConfigurationText
  var account: UserAccount?
  var counters: SupervisionCounters
  var threads: Int
  /// The addresses of the sockets that came before, in their order: the routes', one a thread for each, then the admin
  /// endpoint's.
  var routes: [SocketAddress]
  var admin: [SocketAddress]

  var bytes: [UInt8] {
    var fields = Fields()
    fields.append(Self.format)
    text.write(to: &fields)
    UserAccount.write(account, to: &fields)
    counters.write(to: &fields)
    fields.append(threads)
    for list in [routes, admin] {
      fields.append(list.count)
      for address in list { fields.append(address.description) }
    }
    return fields.bytes
  }
}

extension WorkerSettings {
  init(_ bytes: [UInt8]) throws(Fields.Malformed) {
    var fields = Fields.Reader(bytes)
    guard try fields.text() == Self.format else { throw Fields.Malformed() }
    text = try ConfigurationText(from: &fields)
    account = try UserAccount.read(from: &fields)
    counters = try SupervisionCounters(from: &fields)
    threads = try fields.number()
    routes = try Self.addresses(&fields)
    admin = try Self.addresses(&fields)
  }

  private static func addresses(
    _ fields: inout Fields.Reader
  ) throws(Fields.Malformed) -> [SocketAddress] {
    try fields.list { reader throws(Fields.Malformed) in
      guard let address = SocketAddress(description: try reader.text()) else {
        throw Fields.Malformed()
      }
      return address
    }
  }
}

extension SupervisionCounters {
  func write(to fields: inout Fields) {
    for count in [restarts, upgrades, reloads, copyingOffSince] { fields.append(count) }
  }

  init(from fields: inout Fields.Reader) throws(Fields.Malformed) {
    self.init()
    restarts = try fields.number()
    upgrades = try fields.number()
    reloads = try fields.number()
    copyingOffSince = try fields.number()
  }
}
