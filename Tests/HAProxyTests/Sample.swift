import HAProxy

/// Whole files that HAProxy 2.6 takes, and that hold what editors of haproxy.cfg stumble over.
enum Sample: String, CaseIterable {
  /// What a fresh Debian has, with one backend added.
  case debian
  /// Other sections with `server` lines, quotes, escapes, tabs, IPv6, references, stale comments.
  case rich
  /// Lines that end in CR LF.
  case windows
  /// Branches and environment variables.
  case branches

  var bytes: [UInt8] { Array(text.utf8) }

  var text: String {
    switch self {
    case .debian: Self.debianText
    case .rich: Self.richText
    case .windows:
      Self.debianText.split(separator: "\n", omittingEmptySubsequences: false)
        .joined(separator: "\r\n")
    case .branches: Self.branchesText
    }
  }

  /// A server whose line is removed, moved and added in every file.
  var server: ServerID { ServerID(backend: "app", server: "app1") }

  private static let debianText = """
    global
    \tlog /dev/log\tlocal0
    \tchroot /var/lib/haproxy
    \tstats socket /run/haproxy/admin.sock mode 660 level admin
    \tstats timeout 30s
    \tuser haproxy
    \tgroup haproxy

    defaults
    \tlog\tglobal
    \tmode\thttp
    \toption\thttplog
            timeout connect 5000
            timeout client  50000
            timeout server  50000

    frontend web
    \tbind 127.0.0.1:8000
    \tdefault_backend app

    backend app
    \tbalance roundrobin
    \tserver app1 10.9.0.5:80 check
    \tserver app2 10.9.0.6:80 check

    """

  private static let richText = #"""
    # An old hand's file. server app1 10.0.0.1:80 was here once.
    global
        log ring@lines local0

    ring lines
        format rfc5424
        maxlen 1200
        size 32764
        timeout connect 5s
        timeout server 10s
        server app1 127.0.0.1:6514

    peers mesh
        bind 127.0.0.1:10000
        server app1 127.0.0.1:10001

    defaults
        mode http
        timeout connect 1s
        timeout client 10s
        timeout server 10s

    frontend web
        bind 127.0.0.1:8001
        http-request set-header X-Note "ask server app1 # not a comment"
        default_backend app

    backend app
      #server app1 10.0.0.99:80 check  # old, disabled by ops 2023
      # server app3 10.0.0.3:80 spare
    	server	app1	10.0.0.1:80	check	weight 10# glued
        "server" 'app2' "10.0.0.2":80 check
        ser"ver" app10 10.0.0.10:80 check cookie a\ b
        server app11 [fd00::11]:80 check backup

    backend other
        server app1 10.0.0.1:8080 check port 9000
        server app2 10.0.0.2:8080 track app1
        use-server app1 if { path /first }

    listen direct
        bind 127.0.0.1:8002
        acl alive srv_is_up(other/app2)
        http-request deny unless alive
        server app1 10.0.0.1:9090
        server sock unix@/run/app.sock backup
        server same 10.0.0.4 backup

    """#

  private static let branchesText = """
    defaults
      mode http
      timeout connect 1s
      timeout client 10s
      timeout server 10s

    frontend web
      bind 127.0.0.1:8003
      default_backend app

    backend app
      server app1 10.0.0.1:80 check
      server app2 "${APP2-10.0.0.2}:80" check
    .if defined(NIGHT)
      server app3 10.0.0.3:80 check
    .else
      server app3 10.0.0.33:80 check
    .endif

    """
}

extension Configuration {
  init(_ text: String) { self.init(Array(text.utf8)) }

  var text: String { String(decoding: bytes, as: UTF8.self) }

  /// What is left of it after an edit, which must be one.
  func edited(_ edit: LineEdit?) throws -> Configuration {
    guard let edit else { throw NothingToEdit() }
    return try applying(edit)
  }

  private struct NothingToEdit: Error {}
}

extension ServerID: ExpressibleByStringLiteral {
  public init(stringLiteral text: String) {
    let parts = text.split(separator: "/").map(String.init)
    self.init(backend: parts[0], server: parts[1])
  }
}
