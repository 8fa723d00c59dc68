import Glibc
import ProxyServer

/// duplex-proxy with a fault that its trial does not show: it takes over as any other does, and then its workers do
/// not get ready. DUPLEX_TEST_WORKER says what they do instead: `hangs`, `exits`, or `dawdles` for a second.
@main
struct Main {
  static func main() {
    let arguments = Array(CommandLine.arguments.dropFirst())
    guard arguments.first == "worker" else { exit(DuplexProxy.main(arguments)) }
    switch getenv("DUPLEX_TEST_WORKER").map({ String(cString: $0) }) {
    case "hangs": while true { pause() }
    case "dawdles":
      sleep(1)
      exit(DuplexProxy.main(arguments))
    default: exit(3)
    }
  }
}
