import CLinux
import Glibc

/// A GET whose answer is read until the connection is closed, five seconds at most without a byte.
enum Question {
  /// The whole answer, head included.
  static func ask(_ port: LoopbackPort, for path: String) throws -> String {
    let descriptor = clinux_blocking_stream_socket(AF_INET)
    guard descriptor >= 0 else { throw BenchError.system("asking \(port)", -descriptor) }
    defer { close(descriptor) }
    var limit = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let connected = port.withAddress { clinux_connect(descriptor, $0, $1) }
    guard connected == 0 else { throw BenchError.system("asking \(port)", -connected) }
    let request = Array("GET \(path) HTTP/1.1\r\nHost: count\r\nConnection: close\r\n\r\n".utf8)
    _ = clinux_send(descriptor, request, request.count)
    var answer: [UInt8] = []
    var bytes = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(descriptor, &bytes, bytes.count, 0)
      guard count > 0 else { return String(decoding: answer, as: UTF8.self) }
      answer += bytes[..<count]
    }
  }
}
