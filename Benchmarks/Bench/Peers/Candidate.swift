/// What is measured.
enum Candidate: String, Codable, Sendable, CaseIterable {
  /// The client speaks to the primary itself: what the rest of the machine can do.
  case direct
  case haproxyTCP = "haproxy-tcp"
  case haproxySplice = "haproxy-splice"
  case haproxyHTTP = "haproxy-http"
  case nginxMirror = "nginx-mirror"
  case duplexUring = "duplex-io_uring"
  case duplexEpoll = "duplex-epoll"

  /// Whether a shadow gets what it is sent.
  var isDuplicating: Bool {
    switch self {
    case .nginxMirror, .duplexUring, .duplexEpoll: true
    case .direct, .haproxyTCP, .haproxySplice, .haproxyHTTP: false
    }
  }

  /// As it is called in tables and charts.
  var title: String {
    switch self {
    case .direct: "direct, no proxy"
    case .haproxyTCP: "haproxy tcp, forwards only"
    case .haproxySplice: "haproxy splice, forwards only"
    case .haproxyHTTP: "haproxy http, forwards only"
    case .nginxMirror: "nginx mirror, duplicates"
    case .duplexUring: "duplex-proxy io_uring, duplicates"
    case .duplexEpoll: "duplex-proxy epoll, duplicates"
    }
  }
}
