/// What known_hosts says about a key that a machine showed.
enum KnownHostsVerdict: Hashable {
  case known
  /// No line is about this machine with a key of this type; lines with other types, if any.
  case unknown(otherTypes: [KnownHosts.Origin])
  /// Another key of the same type stands here.
  case changed(KnownHosts.Origin)
  case revoked(KnownHosts.Origin)
  /// Only a line that trusts a certificate authority is about this machine.
  case onlyCertificateAuthority(KnownHosts.Origin)
}

/// The names under which known_hosts may hold a machine.
struct KnownHostsName: Hashable {
  var host: String
  var port: Int

  /// The name that is looked for: `host` at the default port, else `[host]:port`.
  var exact: String { port == 22 ? host : "[\(host)]:\(port)" }
}

extension KnownHosts {
  /// Judges `key`.
  ///
  /// Like ssh, a line without a port vouches for the same key at another port, but cannot
  /// contradict one: two servers at one address may well differ.
  func verdict(on key: HostKey, of name: KnownHostsName) -> KnownHostsVerdict {
    let exact = entries.filter { $0.names.match(name.exact) }
    let withoutPort = name.port == 22 ? [] : entries.filter { $0.names.match(name.host) }

    if let entry = (exact + withoutPort).first(where: { $0.marker == .revoked && $0.key == key }) {
      return .revoked(entry.origin)
    }
    if (exact + withoutPort).contains(where: { $0.marker == nil && $0.key == key }) {
      return .known
    }
    let plain = exact.filter { $0.marker == nil }
    if let entry = plain.first(where: { $0.key.type == key.type }) {
      return .changed(entry.origin)
    }
    if plain.isEmpty,
      let entry = (exact + withoutPort).first(where: { $0.marker == .certificateAuthority })
    {
      return .onlyCertificateAuthority(entry.origin)
    }
    return .unknown(otherTypes: plain.map(\.origin))
  }

  /// The types of the keys that are known for this machine: what to ask it for. A server shows one
  /// key only, and its own choice may be one that known_hosts lacks.
  func keyTypes(for name: KnownHostsName) -> [String] {
    var types: [String] = []
    for entry in entries
    where entry.marker == nil
      && (entry.names.match(name.exact) || entry.names.match(name.host))
      && !types.contains(entry.key.type)
    {
      types.append(entry.key.type)
    }
    return types
  }
}
