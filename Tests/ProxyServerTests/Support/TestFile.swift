import Glibc

@testable import ProxyServer

/// A file of its own that goes with the value.
final class TestFile {
  let path: String

  init(_ content: String) {
    var template = Array("/tmp/duplex-proxy-test-XXXXXX".utf8CString)
    close(mkstemp(&template))
    path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    write(content)
  }

  deinit { unlink(path) }

  func write(_ content: String) {
    let file = open(path, O_WRONLY | O_TRUNC)
    _ = content.withCString { Glibc.write(file, $0, strlen($0)) }
    close(file)
  }

  var text: String {
    switch TextFile.read(path) {
    case .success(let text): text
    case .failure(let problem): problem.text
    }
  }

  func makeExecutable() { chmod(path, 0o755) }

  /// Becomes a symlink.
  func point(to target: String) {
    unlink(path)
    symlink(target, path)
  }
}
