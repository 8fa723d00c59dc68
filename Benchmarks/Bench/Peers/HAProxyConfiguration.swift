/// haproxy.cfg for one thread that forwards one port, without logs.
struct HAProxyConfiguration {
  var mode: Mode
  var listen: LoopbackPort
  var server: LoopbackPort

  enum Mode {
    case tcp
    /// tcp, and the kernel moves the bytes both ways.
    case splice
    /// Reads each request; connections to the server are kept and shared.
    case http
  }

  var text: String {
    """
    global
      nbthread 1
      maxconn \(Descriptors.connections + 100)
    defaults
      \(modeLines.joined(separator: "\n  "))
      timeout connect 5s
      timeout client 1h
      timeout server 1h
      maxconn \(Descriptors.connections + 100)
    frontend clients
      bind \(listen)
      default_backend primary
    backend primary
      server primary \(server)

    """
  }

  private var modeLines: [String] {
    switch mode {
    case .tcp: ["mode tcp"]
    case .splice: ["mode tcp", "option splice-request", "option splice-response"]
    case .http: ["mode http", "option http-keep-alive", "http-reuse always"]
    }
  }
}
