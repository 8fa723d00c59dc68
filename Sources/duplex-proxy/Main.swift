import Glibc
import ProxyServer

@main
struct Main {
  static func main() {
    exit(DuplexProxy.main(Array(CommandLine.arguments.dropFirst())))
  }
}
