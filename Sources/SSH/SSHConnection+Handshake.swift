import Logging
import Remote

extension SSHConnection {
  /// Connects and makes sure that the machine is the one that known_hosts knows.
  func shakeHands(by deadline: Deadline) throws(RemoteError) {
    let known = try knownHosts()
    let name = KnownHostsName(host: destination.address, port: destination.port)
    let key = try exchangeKeys(preferring: known.keyTypes(for: name), by: deadline)
    try judge(key, of: name, by: known)
  }
}

extension SSHConnection {
  private func knownHosts() throws(RemoteError) -> KnownHosts {
    do throws(UnreadableFile) {
      return try KnownHosts.reading(destination.knownHostsFiles)
    } catch {
      throw RemoteError(
        .unreachable,
        detail: "known hosts cannot be read: \(error.path): \(error.reason)"
      )
    }
  }

  /// Tries again, a little later each time, where the server hung up before its first word.
  private func exchangeKeys(
    preferring keyTypes: [String],
    by deadline: Deadline
  ) throws(RemoteError) -> HostKey {
    var pause = Duration.milliseconds(50)
    var triesLeft = 8
    while true {
      triesLeft -= 1
      session = try Session(
        on: TCPConnector(
          host: destination.address,
          port: destination.port,
          interruption: interruption
        ).connect(by: deadline),
        interruption: interruption,
        keepAlive: .init(
          interval: max(destination.keepAliveInterval, .seconds(2)),
          limit: destination.keepAliveLimit
        )
      )
      do throws(RemoteError) {
        return try session!.shakeHands(preferring: keyTypes, by: deadline)
      } catch {
        let wasHeard = session?.hasBanner ?? true
        session.take()?.abandon()
        guard error.code == .connectionLost, !wasHeard, triesLeft > 0, deadline.remaining > pause
        else {
          throw error
        }
        logger.debug(
          "hung up before a word was said; trying again",
          metadata: ["after": "\(pause)"]
        )
        try Readiness.pause(pause * Double.random(in: 0.5...1.5), or: interruption)
        pause *= 2
      }
    }
  }

  private func judge(
    _ key: HostKey,
    of name: KnownHostsName,
    by known: KnownHosts
  ) throws(RemoteError) {
    let fingerprint = key.fingerprint
    let shown = "\(key.type) \(fingerprint)"
    let names = destination.knownHostsFiles.map(\.string).joined(separator: ", ")
    let unknown =
      names.isEmpty
      ? "and there is no file of known hosts to find it in: log in once by ssh(1), which writes one, or name one by ssh: known-hosts"
      : "which is not in \(names)"
    switch known.verdict(on: key, of: name) {
    case .known:
      logger.debug("host key known", metadata: ["key": "\(shown)"])
    case .unknown(let otherTypes):
      let others =
        otherTypes.isEmpty
        ? "" : "; keys of other types: \(otherTypes.map(\.description).joined(separator: ", "))"
      throw RemoteError(
        .hostKeyUnknown(fingerprint: fingerprint),
        detail: "\(name.exact) shows \(shown), \(unknown)\(others)"
      )
    case .changed(let origin):
      throw RemoteError(
        .hostKeyChanged(fingerprint: fingerprint, file: origin.file, line: origin.line),
        detail: "\(name.exact) shows \(shown), but \(origin) has another key"
      )
    case .revoked(let origin):
      throw RemoteError(
        .hostKeyRevoked(fingerprint: fingerprint, file: origin.file, line: origin.line),
        detail: "\(name.exact) shows \(shown), which \(origin) revokes"
      )
    case .onlyCertificateAuthority(let origin):
      throw RemoteError(
        .hostCertificatesUnsupported(file: origin.file, line: origin.line),
        detail: "\(origin) trusts a certificate authority for \(name.exact), and host certificates"
          + " are not supported; add the machine's own key, \(shown), once you have checked it"
      )
    }
  }
}
