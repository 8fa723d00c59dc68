import Glibc

/// A program of Debian that is measured or needed.
enum Tool: String, CaseIterable {
  case haproxy
  case nginx

  /// Where it is, in PATH or where Debian keeps what administrators run.
  var path: String {
    get throws {
      let folders = (getenv("PATH").map { String(cString: $0) } ?? "").split(separator: ":")
      for folder in folders.map(String.init) + ["/usr/sbin", "/usr/local/sbin"] {
        let path = "\(folder)/\(rawValue)"
        if access(path, X_OK) == 0 { return path }
      }
      throw BenchError.notFound(program: rawValue, hint: "apt-get install haproxy nginx-light")
    }
  }
}
