import CLinux
import Glibc

/// The file of a listening unix socket, known again although another process may have put its own in its place:
/// the next proxy takes the path over while this one lets its last connections finish.
struct SocketFile: Sendable, Equatable {
  private let path: String
  private let device: dev_t
  private let inode: ino_t
  /// Inode numbers are used again, at another time.
  private let changedSeconds: Int
  private let changedNanoseconds: Int

  /// Nil when there is no socket of that path.
  init?(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFSOCK else { return nil }
    self.path = path
    device = status.st_dev
    inode = status.st_ino
    changedSeconds = status.st_ctim.tv_sec
    changedNanoseconds = status.st_ctim.tv_nsec
  }

  /// Whether a process left it behind when it died: nobody answers on it. The kernel says the same of a file
  /// that is no socket, and that one is somebody's.
  static func isAbandoned(_ address: SocketAddress) -> Bool {
    guard let path = address.unixPath, SocketFile(path) != nil else { return false }
    let descriptor = clinux_stream_socket(AF_UNIX)
    guard descriptor >= 0 else { return false }
    defer { Glibc.close(descriptor) }
    return address.withPointer { clinux_connect(descriptor, $0, $1) } == -ECONNREFUSED
  }

  /// Removes it, unless another one stands there now.
  func remove() {
    if SocketFile(path) == self { unlink(path) }
  }
}
