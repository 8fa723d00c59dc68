import CLinux
import Duplex
import Glibc

/// The program: what its arguments ask for, and its exit status.
package enum DuplexProxy {
  /// 0 done, 1 could not start (or `ask`: another status than 200), 2 `ask`: nobody answered, 64 wrong usage.
  package static func main(_ arguments: [String]) -> Int32 {
    clinux_name_process("duplex-proxy")
    if arguments.contains("--help") || arguments.contains("-h") {
      print(usage)
      return 0
    }
    if arguments.contains("--version") {
      print("duplex-proxy \(Version.text)")
      return 0
    }
    switch arguments.first {
    case "ask": return AskCommand.main(Array(arguments.dropFirst()))
    case "shadow": return AskCommand.shadow(Array(arguments.dropFirst()))
    // The two that a supervisor starts.
    case "worker": return WorkerProgram.main()
    case "trial": return SupervisorProgram.trial(Array(arguments.dropFirst()))
    default: return serve(arguments)
    }
  }

  private static func serve(_ arguments: [String]) -> Int32 {
    if let status = SupervisorProgram.succeed(CommandLine.arguments) { return status }
    let isCheck = arguments.contains("--check")
    let configuration: Configuration
    do {
      configuration = try Flags.parse(
        arguments.filter { $0 != "--check" },
        readFile: TextFile.read
      )
      _ = try configuration.user.map(UserAccount.lookedUp)
    } catch {
      for problem in error.all { Log().line("\(problem)") }
      return 64
    }
    if isCheck {
      print(description(of: configuration), terminator: "")
      return 0
    }
    return SupervisorProgram.main(CommandLine.arguments, configuration)
  }

  /// What a configuration will do, for --check.
  package static func description(of configuration: Configuration) -> String {
    var text = ""
    for route in configuration.routes {
      text += "route \(route.listen)\n"
      if let mode = route.listenMode { text += "  listen-mode \(String(mode, radix: 8))\n" }
      for range in route.allowed { text += "  allow \(range)\n" }
      text += "  primary \(route.primary)\n"
      for shadow in route.shadows { text += "  shadow \(shadow)\n" }
      if !route.shadows.isEmpty { text += "  copying \(route.copying)\n" }
      if route.shadowProxyProtocol != .keep {
        text += "  shadow-proxy-protocol \(route.shadowProxyProtocol.rawValue)\n"
      }
    }
    for address in configuration.admin { text += "admin \(address)\n" }
    let limits = configuration.limits
    text += """
      shadow-buffer \(limits.shadowBuffer) bytes a connection, \(limits.shadowBufferTotal) in all
      connect-timeout \(Double(limits.connectTimeout) / 1e9) s
      drain-timeout \(Double(limits.drainTimeout) / 1e9) s
      engine \(configuration.engine?.rawValue ?? "auto")
      threads \(configuration.threads.map(String.init) ?? "one a processor")

      """
    if let user = configuration.user { text += "user \(user)\n" }
    return text
  }

  private static let usage = """
    duplex-proxy \(Version.text): relays each connection to a primary and copies the client's bytes to shadows,
    whose answers are thrown away.

    duplex-proxy -l PORT -r IP:PORT [-d IP:PORT,…] …
      -l, --listen PORT            opens a route; the route flags after it belong to it; IP:PORT, [IPv6]:PORT
                                   ([::]:PORT takes IPv4 too) and unix:PATH as well
      -r, --relay IP:PORT          its primary, [IPv6]:PORT and unix:PATH too
      -s, --socket PATH            its primary on a unix socket
      -d, --duplicate IP:PORT[,…]  its shadows, unix:PATH too
          --sample PERCENT%        copies only this share of the clients, chosen by a hash of their address: the same
                                   everywhere and always. Behind a balancer every client has the balancer's address
          --amplify N              copies each connection N times to each shadow, 1 to 100 (default 1)
          --shadow-rate N          opens no more than N connections a second to each shadow, N at once after a pause
          --breaker on|off         spares a shadow that does not work for 1 s, doubled up to 60 s, then tries one
                                   copy: after 5 failed connects in a row, or when more than half of 20 copies or
                                   more were dropped within 10 s (default on)
          --bind IP                address to listen on, where --listen is a port alone (default 0.0.0.0)
          --listen-mode MODE       of a listening unix socket's file, as 660 (default: as the umask has it)
          --allow CIDR[,…]         takes connections from there alone, and resets others; repeatable
          --shadow-proxy-protocol keep|strip|add  a PROXY protocol header at the front: the shadows get what came
                                   (default), or none, or one of their own where none came; the primary gets what came
          --config FILE            more flags, one a line, # comments; a regular file, no pipe
          --admin ADDRESS          /health /metrics /shadow /version on 127.0.0.1:PORT, [::1]:PORT or unix:PATH; repeatable
          --shadow-buffer BYTES    what a connection's shadow may lag before it is dropped (default 4m)
          --shadow-buffer-total BYTES  what all shadows together may (default 64m)
          --connect-timeout SECONDS    for primaries and shadows (default 5)
          --drain-timeout SECONDS      for open connections after SIGTERM (default 30)
          --user NAME[:GROUP]  who relays, when root starts it; names of /etc/passwd and /etc/group, or numbers
          --engine auto|io_uring|epoll what sockets are waited for with (default epoll; auto: io_uring where it can be)
          --threads N              that serve connections (default: one a processor)
      -v, --verbose                a line for each connection
          --check                  print what the configuration means, and exit
          --version, --help

    duplex-proxy ask PATH --admin ADDRESS [--timeout SECONDS] [--wait SECONDS]
      prints the admin endpoint's answer; with --wait, asks every 20 ms until the answer is 200

    duplex-proxy shadow off|on|status --admin ADDRESS [--timeout SECONDS]
      off ends all copying at once, and clients notice nothing; on copies new connections again (those that are open
      stay uncopied); a proxy that is started copies

    Example: duplex-proxy -l 8080 -r 127.0.0.1:81 -d 10.9.0.5:80 --admin 127.0.0.1:9900
    The process started holds the listening sockets; a worker it starts, and starts again when it dies, does the rest.
    SIGTERM or SIGINT stops listening and lets open connections finish; a second one ends at once.
    SIGHUP reads the configuration again, for new connections; one with a mistake in it is refused.
    SIGUSR2 changes to the executable that is now where this one was; open connections finish, none is refused.
    Exit status: 0 done; 1 could not listen (ask, shadow: not 200); 2 ask, shadow: no answer; 64 wrong usage.
    """
}
