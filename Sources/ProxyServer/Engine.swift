/// What the proxy waits for its sockets with.
package enum Engine: String, Sendable, CaseIterable {
  /// Linux 6.1 and later, where nothing forbids it.
  case uring = "io_uring"
  case epoll
}
