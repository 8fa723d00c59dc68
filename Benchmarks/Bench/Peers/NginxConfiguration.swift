/// nginx.conf for one worker, without logs, whose connections stay open for as long as a run may take.
struct NginxConfiguration {
  var role: Role
  var listen: LoopbackPort
  /// Where it keeps its files.
  var folder: String

  enum Role {
    /// Answers `/` in a few bytes and `/10k`, `/1m` from files of that size; its counters are asked elsewhere.
    case origin(status: LoopbackPort)
    /// Forwards to the primary, and sends the shadow the same request, body included.
    case mirror(primary: LoopbackPort, shadow: LoopbackPort)
  }

  var text: String {
    """
    daemon off;
    worker_processes 1;
    worker_rlimit_nofile \(Descriptors.limit);
    user root root;
    error_log stderr warn;
    pid \(folder)/nginx-\(listen.number).pid;
    events {
      worker_connections \(Descriptors.limit - 500);
    }
    http {
      access_log off;
      sendfile on;
      tcp_nodelay on;
      keepalive_timeout 1h;
      keepalive_requests 1000000000;
      client_body_temp_path \(folder)/body-\(listen.number);
      proxy_temp_path \(folder)/proxy-\(listen.number);
      fastcgi_temp_path \(folder)/fastcgi-\(listen.number);
      uwsgi_temp_path \(folder)/uwsgi-\(listen.number);
      scgi_temp_path \(folder)/scgi-\(listen.number);
      client_max_body_size 8m;
      client_body_buffer_size 2m;
    \(roleLines.map { "  " + $0 }.joined(separator: "\n"))
    }

    """
  }

  private var roleLines: [String] {
    switch role {
    case .origin(let status):
      [
        "server {",
        "  listen \(listen) backlog=4096;",
        "  root \(folder)/answers;",
        "  default_type application/octet-stream;",
        "  location = / { return 200 \"hello\\n\"; }",
        "}",
        "server { listen \(status); location / { stub_status; } }",
      ]
    case .mirror(let primary, let shadow):
      [
        "upstream primary { server \(primary); \(keepalive) }",
        "upstream shadow { server \(shadow); \(keepalive) }",
        "server {",
        "  listen \(listen) backlog=4096;",
        "  proxy_http_version 1.1;",
        "  proxy_set_header Connection \"\";",
        "  location / { mirror /mirror; proxy_pass http://primary; }",
        "  location = /mirror { internal; proxy_pass http://shadow$request_uri; }",
        "}",
      ]
    }
  }

  private var keepalive: String {
    "keepalive 10240; keepalive_requests 1000000000; keepalive_timeout 1h;"
  }
}
