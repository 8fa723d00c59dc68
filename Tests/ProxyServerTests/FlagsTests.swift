import Duplex
import Testing

@testable import ProxyServer

@Suite struct FlagsTests {
  private func parse(
    _ line: String,
    file: String? = nil
  ) throws(Flags.Problems) -> Configuration {
    try Flags.parse(line.split(separator: " ").map(String.init)) { path in
      file.map { .success($0) }
        ?? .failure(Flags.Problem(place: path, text: "cannot read \(path)"))
    }
  }

  private func problems(_ line: String, file: String? = nil) -> [String] {
    do {
      _ = try parse(line, file: file)
      return []
    } catch {
      return error.all.map(\.description)
    }
  }

  private func address(_ literal: String, _ port: UInt16) -> SocketAddress {
    SocketAddress(literal: literal, port: port)!
  }

  @Test func `em-proxy's own line is understood`() throws {
    let configuration = try parse("-l 8080 -r 127.0.0.1:81 -d 10.9.0.5:80,10.9.0.6:80 -v")

    var expected = Configuration()
    expected.isVerbose = true
    expected.routes = [
      Route(
        listen: address("0.0.0.0", 8080),
        primary: address("127.0.0.1", 81),
        shadows: [address("10.9.0.5", 80), address("10.9.0.6", 80)]
      )
    ]
    #expect(configuration == expected)
  }

  @Test func `each listen opens a route that the flags after it belong to`() throws {
    let configuration = try parse(
      "-l 1080 -r 127.0.0.1:81 -l 1081 --bind ::1 -s /run/app.sock -d [fd00::5]:80 -d unix:/s"
    )

    #expect(
      configuration.routes == [
        Route(listen: address("0.0.0.0", 1080), primary: address("127.0.0.1", 81)),
        Route(
          listen: address("::1", 1081),
          primary: SocketAddress(unixPath: "/run/app.sock")!,
          shadows: [address("fd00::5", 80), SocketAddress(unixPath: "/s")!]
        ),
      ]
    )
  }

  @Test func `what is copied is said for each route`() throws {
    let configuration = try parse(
      "-l 80 -r 127.0.0.1:81 -d 10.9.0.5:80 --sample 0.5% --amplify 3 --shadow-rate 200"
        + " --breaker off -l 82 -r 127.0.0.1:83 --sample 100% --breaker on"
    )

    var first = CopyingPolicy()
    first.sample = ClientSample(millionths: 5000)
    first.copies = 3
    first.rate = 200
    first.hasBreaker = false
    var second = CopyingPolicy()
    second.sample = ClientSample(millionths: 1_000_000)
    #expect(configuration.routes.map(\.copying) == [first, second])
    #expect(
      "\(first)"
        == "0.5% of the clients 3 times, up to 200 connections a second to each shadow, breaker off"
    )
    #expect("\(CopyingPolicy())" == "every client once, breaker on")
  }

  @Test(arguments: [
    ("--sample", "10"), ("--sample", "0%"), ("--sample", "101%"), ("--sample", "100.5%"),
    ("--sample", "0.00001%"), ("--sample", ".5%"), ("--sample", "5.%"), ("--sample", "-5%"),
    ("--sample", "1.2.3%"), ("--sample", "%"), ("--amplify", "0"), ("--amplify", "101"),
    ("--amplify", "2.5"), ("--shadow-rate", "0"), ("--shadow-rate", "1000001"),
    ("--shadow-rate", "99999999999999999999"), ("--breaker", "yes"),
  ])
  func `a share, a number or a word that is none is refused`(_ flag: String, _ value: String) {
    let found = problems("-l 80 -r 127.0.0.1:81 \(flag) \(value)")

    #expect(found.count == 1)
    #expect(
      found.allSatisfy {
        $0.hasPrefix("argument 5: \(flag) \(value): ") && $0.hasSuffix(" was expected")
      }
    )
  }

  @Test func `an unknown flag's value is no mistake of its own`() {
    #expect(
      problems("-l 80 --sampel 10% --verbos -r 127.0.0.1:81 -r")
        == [
          "argument 3: unknown flag --sampel; --help lists them",
          "argument 5: unknown flag --verbos; --help lists them",
          "argument 8: -r needs a value",
        ]
    )
  }

  @Test func `more copies of a connection than make sense are refused`() {
    let shadows = (1...11).map { "10.9.0.5:\($0)" }.joined(separator: ",")

    #expect(
      problems("-l 80 -r 127.0.0.1:81 --amplify 100 -d \(shadows)")
        == ["argument 1: 11 shadows 100 times are more than 1000 copies of a connection"]
    )
  }

  @Test func `flags before the first listen belong to it`() throws {
    #expect(try parse("-r 127.0.0.1:81 -l 8080") == parse("-l 8080 -r 127.0.0.1:81"))
  }

  @Test func `a file holds the same flags, one a line`() throws {
    let file = """
      # the web route
      --listen 8080   # where the balancer connects
      --relay=127.0.0.1:81

      \t-d 10.9.0.5:80, 10.9.0.6:80
      --admin unix:/run/admin.sock
      --shadow-buffer 256k
      --shadow-buffer-total 2m
      --connect-timeout 0.5
      --verbose
      """

    let configuration = try parse("--config proxy.conf", file: file)

    var expected = try parse("-l 8080 -r 127.0.0.1:81 -d 10.9.0.5:80,10.9.0.6:80 -v")
    expected.admin = [SocketAddress(unixPath: "/run/admin.sock")!]
    expected.limits.shadowBuffer = 256 * 1024
    expected.limits.shadowBufferTotal = 2 * 1024 * 1024
    expected.limits.connectTimeout = 500_000_000
    #expect(configuration == expected)
  }

  @Test func `a file with CRLF line ends is read as any other`() throws {
    let configuration = try parse(
      "--config proxy.conf",
      file: "--listen 8080\r\n--relay 127.0.0.1:81\r\n"
    )

    #expect(configuration == (try parse("-l 8080 -r 127.0.0.1:81")))
  }

  @Test func `every problem of a file is told with its line`() {
    let file = """
      --listen eighty
      --relay web.internal:81
      --duplicate 10.9.0.5
      --duplicates 10.9.0.5:80
      --shadow-buffer much
      --admin 10.0.0.1:99
      --config other
      --verbose yes
      --bind
      """

    let expected = [
      "p:1: --listen eighty: a port of 0 to 65535 was expected",
      "p:2: --relay web.internal:81: web.internal is no IP address, and names are not resolved here; "
        + "IP:PORT, [IPv6]:PORT or unix:PATH was expected",
      "p:3: --duplicate 10.9.0.5: IP:PORT, [IPv6]:PORT or unix:PATH was expected",
      "p:4: --duplicates is no flag for a configuration file",
      "p:5: --shadow-buffer much: bytes were expected, as 262144, 256k or 1m",
      "p:6: --admin 10.0.0.1:99: only 127.0.0.0/8, [::1] or unix:PATH",
      "p:7: --config is no flag for a configuration file",
      "p:8: --verbose takes no value",
      "p:9: --bind needs a value",
    ]
    #expect(problems("--config p", file: file) == expected)
  }

  @Test func `em-proxy's words mean here what they mean there`() throws {
    let given = "-l 80 -r localhost:81 -s /run/app.sock --duplex localhost:82"
    let configuration = try Flags.parse(given.split(separator: " ").map(String.init)) { _ in
      .failure(.init(place: "", text: "no file"))
    }

    #expect(configuration.routes.map(\.primary.description) == ["unix:/run/app.sock"])
    #expect(configuration.routes[0].shadows.map(\.description) == ["127.0.0.1:82"])
  }

  @Test func `listen takes a port, an address or a path, and says who may come and how`() throws {
    let configuration = try parse(
      "-l 10.9.0.1:1080 -r 127.0.0.1:81 --allow 10.9.0.0/24,192.0.2.7 --allow fd00::/8"
        + " -l [::1]:1081 -r 127.0.0.1:81 -d 10.9.0.5:80 --shadow-proxy-protocol strip"
        + " -l unix:/run/web.sock -r 127.0.0.1:81 --listen-mode 660"
    )

    var routes = [
      Route(listen: address("10.9.0.1", 1080), primary: address("127.0.0.1", 81)),
      Route(
        listen: address("::1", 1081),
        primary: address("127.0.0.1", 81),
        shadows: [address("10.9.0.5", 80)]
      ),
      Route(listen: SocketAddress(unixPath: "/run/web.sock")!, primary: address("127.0.0.1", 81)),
    ]
    routes[0].allowed = try ["10.9.0.0/24", "192.0.2.7", "fd00::/8"].map { try AddressRange($0) }
    routes[1].shadowProxyProtocol = .strip
    routes[2].listenMode = 0o660
    #expect(configuration.routes == routes)
  }

  @Test func `a file may have spaces after the commas of ranges`() throws {
    let file = "-l 80\n-r 127.0.0.1:81\n--allow 10.0.0.0/8, fd00::/8 # the balancers"
    let expected = try parse("-l 80 -r 127.0.0.1:81 --allow 10.0.0.0/8,fd00::/8")
    #expect(try parse("--config p", file: file) == expected)
  }

  @Test(arguments: [
    ("127.0.0.1:80", "127.0.0.1:80"), ("0.0.0.0:80", "127.9.9.9:80"), ("0.0.0.0:80", "0.0.0.0:80"),
    ("[::]:80", "127.0.0.1:80"), ("[::]:80", "[::1]:80"), ("[::]:80", "[::]:80"),
    ("0.0.0.0:80", "[::ffff:127.0.0.1]:80"), ("127.0.0.1:80", "0.0.0.0:80"),
    ("[::1]:80", "[::]:80"), ("unix:/run/a", "unix:/run/a"), ("[fd00:0::5]:80", "[fd00::5]:80"),
  ])
  func `a route that would feed itself is refused`(_ listen: String, _ fed: String) {
    let named = "is the route's own listening address: it would feed itself"
    #expect(problems("-l \(listen) -r \(fed)") == ["argument 1: \(fed) \(named)"])
    #expect(problems("-l \(listen) -s /s -d \(fed)") == ["argument 1: \(fed) \(named)"])
  }

  @Test(arguments: [
    ("127.0.0.1:80", "127.0.0.2:80"), ("127.0.0.1:80", "127.0.0.1:81"), ("0.0.0.0:80", "[::1]:80"),
    ("10.0.0.1:80", "0.0.0.0:80"), ("[::1]:80", "127.0.0.1:80"), ("unix:/run/a", "unix:/run/b"),
    ("unix:/run/a", "127.0.0.1:80"), ("0.0.0.0:80", "10.9.0.5:80"),
  ])
  func `a route that does not feed itself is not`(_ listen: String, _ fed: String) {
    #expect(problems("-l \(listen) -r \(fed) -d \(fed)") == [])
  }

  @Test(arguments: [
    ("", "configuration: no route: --listen PORT and --relay IP:PORT are needed"),
    ("-l 80", "argument 1: --listen 80 has no primary: --relay or --socket is needed"),
    ("-r 127.0.0.1:81", "argument 1: a route without --listen PORT"),
    ("-l", "argument 1: -l needs a value"),
    ("--config p", "argument 1: cannot read p"),
    (
      "-l 80 -r 127.0.0.1:81 -r 127.0.0.1:82",
      "argument 5: a second primary; each --listen opens a route with one"
    ),
    (
      "-l 80 -r 127.0.0.1:81 -l 80 -r 127.0.0.1:82",
      "argument 5: 0.0.0.0:80 is listened on by another route already"
    ),
    (
      "-l 80 -r 127.0.0.1:80",
      "argument 1: 127.0.0.1:80 is the route's own listening address: it would feed itself"
    ),
    (
      "-l 80 -r fd00::5:81",
      "argument 3: --relay fd00::5:81: an IPv6 address stands in brackets"
    ),
    (
      "-l 10.0.0.1:80 --bind ::1 -r 127.0.0.1:81",
      "argument 3: --bind ::1: --listen 10.0.0.1:80 has an address of its own already"
    ),
    (
      "--bind [::1] -l unix:/a -r 127.0.0.1:81",
      "argument 1: --bind ::1: --listen unix:/a has an address of its own already"
    ),
    (
      "-l fd00::5:80 -r 127.0.0.1:81",
      "argument 1: --listen fd00::5:80: an IPv6 address stands in brackets"
    ),
    (
      "-l 80 -r 127.0.0.1:81 --listen-mode 660",
      "argument 5: --listen-mode: 0.0.0.0:80 is no unix socket, so it has no file"
    ),
    (
      "-l unix:/a -r 127.0.0.1:81 --allow 10.0.0.0/8",
      "argument 1: --allow: clients of unix:/a have no address; --listen-mode says who may connect"
    ),
    (
      "-l 80 -r 127.0.0.1:81 -d 10.0.0.5:80,10.0.0.6:80 -d 10.0.0.5:80",
      "argument 1: --duplicate 10.0.0.5:80 is given twice; --amplify copies more than once"
    ),
    (
      "-l unix:/a -r 127.0.0.1:81 --listen-mode rw",
      "argument 5: --listen-mode rw: an octal mode up to 777 was expected, as 660"
    ),
    (
      "-l 80 -r 127.0.0.1:81 --allow 10.0.0.1/8",
      "argument 5: --allow 10.0.0.1/8: has bits beyond its length; 10.0.0.0/8 was probably meant"
    ),
    (
      "-l 80 -r 127.0.0.1:81 --allow 10.0.0.0/8,",
      "argument 5: --allow : an address or a range such as 10.0.0.0/8 or fd00::/8 was expected"
    ),
    (
      "-l 80 -r 127.0.0.1:81 --shadow-proxy-protocol v2",
      "argument 5: --shadow-proxy-protocol v2: keep, strip or add was expected"
    ),
    (
      "-l 80 -r 127.0.0.1:81 --shadow-buffer 2m --shadow-buffer-total 1m",
      "configuration: --shadow-buffer-total (1048576) is less than --shadow-buffer (2097152)"
    ),
  ])
  func `what cannot work is refused with its reason`(_ line: String, _ problem: String) {
    #expect(problems(line) == [problem])
  }
}
