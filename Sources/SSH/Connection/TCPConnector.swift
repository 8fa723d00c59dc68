import Remote

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// A connected, non-blocking TCP socket, closed when it goes away.
struct TCPSocket: ~Copyable {
  let descriptor: Int32

  /// Breaks the connection at once; whoever still holds the descriptor sees end of file.
  borrowing func shutDown() {
    shutdown(descriptor, Int32(SHUT_RDWR))
  }

  /// Has what arrives next acknowledged at once. sshd leaves Nagle's algorithm on, so the second of
  /// two small packets waits for it: 40 ms before the first command. Linux forgets this with the
  /// next packet sent, so say it before each wait. Elsewhere there is no such thing.
  borrowing func acknowledgeAtOnce() {
    #if os(Linux)
      var on: Int32 = 1
      // Ignored: without it everything works, only slower.
      _ = setsockopt(
        descriptor,
        Int32(IPPROTO_TCP),
        TCP_QUICKACK,
        &on,
        socklen_t(MemoryLayout<Int32>.size)
      )
    #endif
  }

  deinit { close(descriptor) }
}

/// Finds a machine's addresses and connects to the first one that answers.
struct TCPConnector {
  var host: String
  var port: Int
  var interruption: Interruption

  /// Tries every address of `host` in the resolver's order (RFC 6724), sharing out the time left.
  func connect(by deadline: Deadline) throws(RemoteError) -> TCPSocket {
    let addresses = try resolve()
    defer { freeaddrinfo(addresses) }
    let candidates = Array(sequence(first: addresses, next: { $0.pointee.ai_next }))

    var failures: [String] = []
    for (index, candidate) in candidates.enumerated() {
      let share = deadline.remaining / (candidates.count - index)
      switch try connect(to: candidate.pointee, by: .after(share)) {
      case .success(let descriptor): return TCPSocket(descriptor: descriptor)
      case .failure(let failure):
        failures.append("\(name(of: candidate.pointee)): \(failure.words)")
      }
    }
    throw RemoteError(.unreachable, detail: failures.joined(separator: "; "))
  }
}

extension TCPConnector {
  private struct Failure: Error {
    var words: String
    static var lastError: Failure { Failure(errorNumber: errno) }
    init(words: String) { self.words = words }
    init(errorNumber: Int32) { words = String(cString: strerror(errorNumber)) }
  }

  private func resolve() throws(RemoteError) -> UnsafeMutablePointer<addrinfo> {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_flags = AI_NUMERICSERV
    #if canImport(Darwin)
      hints.ai_socktype = SOCK_STREAM
    #else
      hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    #endif
    var list: UnsafeMutablePointer<addrinfo>?
    let result = getaddrinfo(host, String(port), &hints, &list)
    guard result == 0, let list else {
      throw RemoteError(
        .nameNotResolved,
        detail: "\(host): \(String(cString: gai_strerror(result)))"
      )
    }
    return list
  }

  private func connect(
    to address: addrinfo,
    by deadline: Deadline
  ) throws(RemoteError) -> Result<Int32, Failure> {
    let descriptor = socket(address.ai_family, address.ai_socktype, address.ai_protocol)
    guard descriptor >= 0 else { return .failure(.lastError) }
    var connected = false
    defer { if !connected { close(descriptor) } }

    guard fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0,
      fcntl(descriptor, F_SETFL, O_NONBLOCK) == 0
    else { return .failure(.lastError) }
    setOptions(of: descriptor)

    if Connect.connect(descriptor, address) != 0 {
      guard errno == EINPROGRESS else { return .failure(.lastError) }
      if let failure = try awaitConnection(of: descriptor, by: deadline) {
        return .failure(failure)
      }
    }
    connected = true
    return .success(descriptor)
  }

  private func awaitConnection(
    of descriptor: Int32,
    by deadline: Deadline
  ) throws(RemoteError) -> Failure? {
    let readiness = try Readiness.wait(
      for: [.output],
      of: descriptor,
      or: interruption,
      atMost: deadline.remaining
    )
    guard !readiness.isEmpty else { return Failure(words: "no answer in time") }

    var errorNumber: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &errorNumber, &length) == 0 else {
      return .lastError
    }
    return errorNumber == 0 ? nil : Failure(errorNumber: errorNumber)
  }

  /// SSH sends small packets that wait for one another's answers: Nagle's algorithm would hold the
  /// second of two back until the other side's delayed acknowledgement, 40 ms.
  private func setOptions(of descriptor: Int32) {
    var on: Int32 = 1
    let size = socklen_t(MemoryLayout<Int32>.size)
    // Ignored: without these options everything still works, only slower.
    _ = setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
    #if canImport(Darwin)
      _ = setsockopt(descriptor, SOL_SOCKET, SO_NOSIGPIPE, &on, size)
    #endif
  }

  private func name(of address: addrinfo) -> String {
    var buffer = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let result = getnameinfo(
      address.ai_addr,
      address.ai_addrlen,
      &buffer,
      socklen_t(buffer.count),
      nil,
      0,
      NI_NUMERICHOST
    )
    guard result == 0 else { return host }
    let bytes = buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:))
    return "\(String(decoding: bytes, as: UTF8.self)) port \(port)"
  }
}

/// connect(2), out of the shadow of the methods of that name.
private enum Connect {
  static func connect(_ descriptor: Int32, _ address: addrinfo) -> Int32 {
    #if canImport(Darwin)
      Darwin.connect(descriptor, address.ai_addr, address.ai_addrlen)
    #else
      Glibc.connect(descriptor, address.ai_addr, address.ai_addrlen)
    #endif
  }
}
