import Glibc

extension String {
  /// What an errno means, in the C library's words: `Connection refused`.
  init(errno: Int32) { self.init(cString: strerror(errno)) }
}
