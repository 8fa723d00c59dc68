import Remote
import SystemPackage

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

/// Why ssh-agent was of no help, in words.
struct AgentFailure: Error, Hashable {
  var words: String
}

/// Speaks to ssh-agent over its socket (draft-ietf-sshm-ssh-agent). libssh2's own agent client
/// cannot ask for RSA signatures with SHA-512.
struct Agent: Sendable {
  var socket: FilePath
  var interruption: Interruption

  /// A person may have to confirm the use of a key (ssh-add -c).
  private static let patience = Duration.seconds(60)

  /// The keys the agent holds, in its order, without those of types that do not work here.
  func keys(by deadline: Deadline) throws(AgentFailure) -> [AgentKey] {
    var reader = WireReader(
      try ask([Message.requestIdentities], expecting: Message.identitiesAnswer, by: deadline)
    )
    do throws(WireReader.Truncated) {
      var keys: [AgentKey] = []
      for _ in 0..<(try reader.uint32()) {
        let key = PublicKey(blob: try reader.string())
        _ = try reader.string()
        if Self.supported.contains(key.type) {
          keys.append(AgentKey(publicKey: key, agent: self))
        }
      }
      return keys
    } catch {
      throw AgentFailure(words: "its list of keys is cut short")
    }
  }

  /// The signature, without the algorithm's name before it.
  func sign(_ data: [UInt8], with key: PublicKey) throws(AgentFailure) -> [UInt8] {
    var request = WireWriter()
    request.byte(Message.signRequest)
    request.string(key.blob)
    request.string(data)
    request.uint32(key.type == "ssh-rsa" ? Self.rsaWithSHA512 : 0)
    let answer = try ask(
      request.bytes,
      expecting: Message.signResponse,
      by: .after(Self.patience)
    )
    do throws(WireReader.Truncated) {
      var reader = WireReader(answer)
      var signature = WireReader(try reader.string())
      let algorithm = try signature.text()
      guard algorithm == (key.type == "ssh-rsa" ? "rsa-sha2-512" : key.type) else {
        throw WireReader.Truncated()
      }
      return try signature.string()
    } catch {
      throw AgentFailure(words: "it signed in a way that was not asked for")
    }
  }
}

/// A key that an agent holds.
struct AgentKey: Signer {
  var publicKey: PublicKey
  var agent: Agent

  func sign(_ data: [UInt8]) throws(SigningFailure) -> [UInt8] {
    do throws(AgentFailure) {
      return try agent.sign(data, with: publicKey)
    } catch {
      throw SigningFailure(words: "the agent did not sign: \(error.words)")
    }
  }
}

extension Agent {
  private static let supported: Set = [
    "ssh-ed25519", "ssh-rsa", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
  ]
  /// SSH_AGENT_RSA_SHA2_512
  private static let rsaWithSHA512: UInt32 = 4
  /// OpenSSH's agent sends no more than this.
  private static let longestAnswer = 256 << 10

  private enum Message {
    static let requestIdentities: UInt8 = 11
    static let identitiesAnswer: UInt8 = 12
    static let signRequest: UInt8 = 13
    static let signResponse: UInt8 = 14
  }

  private func ask(
    _ request: [UInt8],
    expecting type: UInt8,
    by deadline: Deadline
  ) throws(AgentFailure) -> [UInt8] {
    var message = WireWriter()
    message.string(request)
    let stream = try connect()
    defer { close(stream) }
    try send(message.bytes, to: stream, by: deadline)
    var header = WireReader(try receive(4, from: stream, by: deadline))
    let length: Int
    do throws(WireReader.Truncated) {
      length = Int(try header.uint32())
    } catch {
      throw AgentFailure(words: "it does not speak the agent protocol")
    }
    guard (1...Self.longestAnswer).contains(length) else {
      throw AgentFailure(words: "it does not speak the agent protocol")
    }
    let answer = try receive(length, from: stream, by: deadline)
    guard answer[0] == type else { throw AgentFailure(words: "it refused") }
    return Array(answer.dropFirst())
  }

  private func connect() throws(AgentFailure) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let path = Array(socket.string.utf8)
    let fits = withUnsafeMutableBytes(of: &address.sun_path) { space in
      guard path.count < space.count else { return false }
      space.copyBytes(from: path)
      return true
    }
    guard fits else { throw AgentFailure(words: "its socket's path is too long") }
    let stream = Self.makeStream()
    guard stream >= 0 else { throw .lastError }
    let connected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        Self.connect(stream, pointer, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    guard connected == 0, fcntl(stream, F_SETFL, O_NONBLOCK) == 0 else {
      let failure = AgentFailure.lastError
      close(stream)
      throw failure
    }
    return stream
  }

  private func send(
    _ bytes: [UInt8],
    to stream: Int32,
    by deadline: Deadline
  ) throws(AgentFailure) {
    var sent = 0
    while sent < bytes.count {
      try wait(for: .output, of: stream, by: deadline)
      let count = bytes.withUnsafeBytes { bytes in
        Self.send(stream, UnsafeRawBufferPointer(rebasing: bytes[sent...]))
      }
      guard count > 0 else { throw .lastError }
      sent += count
    }
  }

  private func receive(
    _ length: Int,
    from stream: Int32,
    by deadline: Deadline
  ) throws(AgentFailure) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: length)
    var received = 0
    while received < length {
      try wait(for: .input, of: stream, by: deadline)
      let count = bytes.withUnsafeMutableBytes { bytes in
        recv(stream, bytes.baseAddress! + received, length - received, 0)
      }
      guard count > 0 else {
        throw count == 0 ? AgentFailure(words: "it hung up") : .lastError
      }
      received += count
    }
    return bytes
  }

  private func wait(
    for readiness: Readiness,
    of stream: Int32,
    by deadline: Deadline
  ) throws(AgentFailure) {
    let ready: Readiness
    do throws(RemoteError) {
      ready = try Readiness.wait(
        for: readiness,
        of: stream,
        or: interruption,
        atMost: deadline.remaining
      )
    } catch {
      throw AgentFailure(words: error.detail)
    }
    guard !ready.isEmpty else { throw AgentFailure(words: "it did not answer in time") }
  }
}

extension AgentFailure {
  fileprivate static var lastError: AgentFailure {
    AgentFailure(words: String(cString: strerror(errno)))
  }
}

/// What differs between systems.
extension Agent {
  #if canImport(Darwin)
    private static func makeStream() -> Int32 {
      let stream = Darwin.socket(AF_UNIX, SOCK_STREAM, 0)
      var on: Int32 = 1
      // Ignored: then a hung-up agent ends the program, as it would any other on this system.
      _ = setsockopt(stream, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
      return stream
    }
    private static func connect(
      _ stream: Int32,
      _ address: UnsafePointer<sockaddr>,
      _ length: socklen_t
    ) -> Int32 { Darwin.connect(stream, address, length) }
    private static func send(_ stream: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
      Darwin.send(stream, bytes.baseAddress, bytes.count, 0)
    }
  #else
    private static func makeStream() -> Int32 {
      Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    }
    private static func connect(
      _ stream: Int32,
      _ address: UnsafePointer<sockaddr>,
      _ length: socklen_t
    ) -> Int32 { Glibc.connect(stream, address, length) }
    private static func send(_ stream: Int32, _ bytes: UnsafeRawBufferPointer) -> Int {
      Glibc.send(stream, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL))
    }
  #endif
}
