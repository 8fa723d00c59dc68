// Lab: a fleet on one machine, for practice, demos and tests: app servers, balancers and a shadow,
// each in namespaces of its own with its own sshd, monit, haproxy or nginx; and the strict client
// that counts failed requests. Nothing of the product depends on it.

import Foundation

/// What a lab was put up with: written into its state folder, so that later commands need only that.
struct LabSettings: Codable, Sendable {
  /// The folder that holds keys, logs and the hosts' disks: a tmpfs of its own.
  var state: String
  /// Begins the name of every interface and network namespace.
  var prefix: String
  /// The first three parts of a /24.
  var network: String
  var apps: Int
  var balancers: Int
  /// How long a packet takes between this machine and the hosts, one way. Among the hosts it takes
  /// none: they stand in one rack, and the operator does not.
  var delayMilliseconds = 0

  var bridge: String { "\(prefix)-br0" }
  /// The interface through which this machine reaches the hosts.
  var gatewayLink: String { delayMilliseconds == 0 ? bridge : "\(prefix)-op" }
  /// The bridge's end of the delayed cable.
  var farLink: String { "\(prefix)-far" }
  var gateway: String { "\(network).1" }
  var gatewayHardwareAddress: String { LabHost.hardwareAddress(last: 1) }
  var gatewayNeighbour: Neighbour {
    Neighbour(address: gateway, hardwareAddress: gatewayHardwareAddress)
  }
  var keyFile: String { "\(state)/id_ed25519" }
  var knownHostsFile: String { "\(state)/known_hosts" }

  var hosts: [LabHost] {
    (1...balancers).map { LabHost(.balancer, number: $0, settings: self) }
      + (1...apps).map { LabHost(.app, number: $0, settings: self) }
      + [LabHost(.shadow, number: 1, settings: self)]
  }

  func host(_ name: String) throws -> LabHost {
    guard let host = hosts.first(where: { $0.name == name }) else {
      throw LabError(
        "there is no host \(name) in this lab; it has "
          + hosts.map(\.name).joined(separator: ", ")
      )
    }
    return host
  }

  // MARK: On disk

  private static func file(in state: String) -> String { "\(state)/lab.json" }

  /// The settings of a lab that is up, or half up; nil where there is none.
  static func reading(state: String) throws -> LabSettings? {
    let path = file(in: state)
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try JSONDecoder().decode(LabSettings.self, from: Data(contentsOf: URL(filePath: path)))
  }

  /// The settings of a lab that must be there.
  static func required(state: String) throws -> LabSettings {
    guard let settings = try reading(state: state) else {
      throw LabError("no lab is up in \(state): duplex-lab up")
    }
    return settings
  }

  func write() throws {
    try JSONEncoder().encode(self).write(to: URL(filePath: Self.file(in: state)))
  }
}

/// One machine of the lab.
struct LabHost: Sendable {
  let kind: Kind
  let name: String
  let address: String
  /// The same at each boot: who knows the host by it must find it again after a power cut.
  let hardwareAddress: String
  let namespace: String
  /// Keys, console and disk.
  let folder: String

  enum Kind: String, Sendable {
    case balancer
    case app
    case shadow
  }

  init(_ kind: Kind, number: Int, settings: LabSettings) {
    self.kind = kind
    let last: Int
    switch kind {
    case .balancer:
      name = "lb\(number)"
      last = 9 + number
    case .app:
      name = "app\(number)"
      last = 20 + number
    case .shadow:
      name = "shadow\(number)"
      last = 4 + number
    }
    address = "\(settings.network).\(last)"
    hardwareAddress = Self.hardwareAddress(last: last)
    namespace = "\(settings.prefix)-\(name)"
    folder = "\(settings.state)/\(name)"
  }

  /// A locally administered address that ends as the host's IP address does.
  static func hardwareAddress(last: Int) -> String {
    "02:6c:61:62:00:" + (last < 16 ? "0" : "") + String(last, radix: 16)
  }

  var neighbour: Neighbour { Neighbour(address: address, hardwareAddress: hardwareAddress) }

  var pidFile: String { "\(folder)/init.pid" }

  /// The process id of the host's pid 1, as this machine sees it; nil while the host is off.
  var initProcess: Int32? {
    guard let text = FileManager.default.contents(atPath: pidFile),
      let pid = Int32(String(decoding: text, as: UTF8.self).trimmingCharacters(in: .newlines)),
      FileManager.default.fileExists(atPath: "/proc/\(pid)/ns/mnt")
    else { return nil }
    return pid
  }
}

/// An address and who answers for it on the wire.
struct Neighbour: Sendable {
  let address: String
  let hardwareAddress: String
}

/// Something about the lab that a person must know, in a sentence.
struct LabError: Error, CustomStringConvertible {
  let description: String

  init(_ description: String) {
    self.description = description
  }
}
