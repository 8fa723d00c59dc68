import Foundation
import Glibc
import Synchronization

/// A keep-alive HTTP server on loopback that misbehaves when it is told to, and counts.
final class FaultyServer: Sendable {
  let port: Int
  private let listener: Int32
  private let served = Atomic(0)
  private let behave: @Sendable (Int) -> Behaviour

  enum Behaviour: Sendable {
    case answer
    /// An answer in two chunks (RFC 9112 section 7.1).
    case answerChunked
    /// The right answer, and the end of the connection, announced or not.
    case answerAndClose(announced: Bool)
    /// The right answer, and a reset when the client has read it.
    case answerAndReset
    /// The right answer, after so long.
    case answerLate(milliseconds: UInt32)
    /// These bytes, whatever they are.
    case say(String)
    case close
    case reset
    case halfAnAnswer
    case wrongBody
    case wrongStatus
    case silence
    case nonsense
  }

  /// - Parameter behave: what to do with the Nth request, from 1, over all connections.
  init(_ behave: @escaping @Sendable (Int) -> Behaviour) {
    self.behave = behave
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    port = withUnsafeMutablePointer(to: &address) { [listener] pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        precondition(bind(listener, raw, size) == 0 && listen(listener, 1024) == 0)
        getsockname(listener, raw, &size)
      }
      return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
    Thread { [self] in accept() }.start()
  }

  var requests: Int { served.load(ordering: .relaxed) }

  func stop() {
    shutdown(listener, Int32(SHUT_RDWR))
    close(listener)
  }

  private func accept() {
    while true {
      let connection = Glibc.accept(listener, nil, nil)
      guard connection >= 0 else { return }
      Thread { [self] in serve(connection) }.start()
    }
  }

  private func serve(_ connection: Int32) {
    var buffer = [UInt8](repeating: 0, count: 4096)
    defer { close(connection) }
    while recv(connection, &buffer, buffer.count, 0) > 0 {
      let number = served.add(1, ordering: .relaxed).newValue
      switch behave(number) {
      case .answer: send(connection, Self.response("200 OK", "hello from the test\n"))
      case .answerChunked:
        send(
          connection,
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nhello \r\n4;x=y\r\nfrom\r\n0\r\n\r\n"
        )
      case .answerAndClose(let announced):
        let header = announced ? "Connection: close\r\n" : ""
        return send(connection, Self.response("200 OK", "hello from the test\n", header))
      case .answerLate(let milliseconds):
        usleep(milliseconds * 1000)
        send(connection, Self.response("200 OK", "hello from the test\n"))
      case .say(let text): send(connection, text)
      case .close: return
      case .answerAndReset, .reset:
        if case .answerAndReset = behave(number) {
          send(connection, Self.response("200 OK", "hello from the test\n"))
          // A reset throws away what the client has not read yet, and nothing tells when it has.
          usleep(10_000)
        }
        var abort = Glibc.linger(l_onoff: 1, l_linger: 0)
        setsockopt(
          connection,
          SOL_SOCKET,
          SO_LINGER,
          &abort,
          socklen_t(MemoryLayout<Glibc.linger>.size)
        )
        return
      case .halfAnAnswer:
        return send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nhello from")
      case .wrongBody: send(connection, Self.response("200 OK", "shadow\n"))
      case .wrongStatus: send(connection, Self.response("503 No", "hello from the test\n"))
      case .silence: continue
      case .nonsense: return send(connection, "what?\r\n\r\n")
      }
    }
  }

  private static func response(_ status: String, _ body: String, _ header: String = "") -> String {
    "HTTP/1.1 \(status)\r\n\(header)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private func send(_ connection: Int32, _ text: String) {
    let bytes = Array(text.utf8)
    Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }
}
