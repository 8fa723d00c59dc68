import Glibc

@testable import ProxyServer

extension Engine {
  /// The engine that these tests run on: DUPLEX_TEST_ENGINE, else epoll. Each engine has a run of its own.
  static var tested: Engine {
    guard let name = getenv("DUPLEX_TEST_ENGINE") else { return .epoll }
    guard let engine = Engine(rawValue: String(cString: name)) else {
      fatalError("DUPLEX_TEST_ENGINE is epoll or io_uring")
    }
    return engine
  }
}
