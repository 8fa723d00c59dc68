import Glibc
import ProxyServer

/// duplex-proxy with a fault that its trial does not show: it takes over as any other does, and then its workers never
/// get ready. DUPLEX_TEST_WORKER says what they do instead: `hangs` or `exits`.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.first == "worker" else { exit(DuplexProxy.main(arguments)) }
    guard let fault = getenv("DUPLEX_TEST_WORKER"), String(cString: fault) == "hangs" else {
      exit(3)
    }
    while true { pause() }
  }
}
