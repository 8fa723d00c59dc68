import HAProxy
import Testing

/// What `default-server` says holds for every server below it (manual 5.2).
struct DefaultServerTests {
  @Test(arguments: [
    "backend b\ndefault-server disabled\nserver c 1.2.3.5:80\n",
    "defaults\ndefault-server disabled\nbackend b\nserver c 1.2.3.5:80\n",
    "defaults one\ndefault-server disabled\ndefaults\nbackend b from one\nserver c 1.2.3.5:80\n",
  ])
  func `a server that is disabled by default takes no requests`(text: String) {
    let document = Configuration(text + "server a 1.2.3.4:80 enabled\n")

    #expect(document.servers.map(\.isUsable) == [false, true])
    #expect(throws: EditRefusal.self) { try document.removing("b/a") }
  }

  @Test(arguments: [
    "backend b\nserver c 1.2.3.5:80\ndefault-server disabled\n",
    "defaults\ndefault-server disabled\ndefaults\nbackend b\nserver c 1.2.3.5:80\n",
    "backend x\ndefault-server disabled\nbackend b\nserver c 1.2.3.5:80\n",
    "backend b\ndefault-server disabled\ndefault-server enabled\nserver c 1.2.3.5:80\n",
    "backend b\n#duplexctl-disabled default-server disabled\nserver c 1.2.3.5:80\n",
  ])
  func `a default does not reach servers above it, nor other sections`(text: String) {
    #expect(Configuration(text).servers.map(\.isUsable) == [true])
  }

  @Test func `health checks go to the port that the last word on it names`() {
    let document = Configuration(
      """
      backend b
        default-server check port 9000
        server a 1.2.3.4:80
        server c 1.2.3.5:80 port 9001
        default-server port 9002
        server d 1.2.3.6:80

      """
    )

    #expect(document.servers.map(\.checkPort) == [9000, 9001, 9002])
  }
}

/// Whether a health check looks at more than a port.
struct ContentCheckTests {
  @Test(arguments: [
    ("", "", false),
    ("defaults\noption httpchk GET /healthz\n", "", true),
    ("defaults\noption httpchk\n", "no option httpchk\n", false),
    ("", "option tcp-check\n", true),
    ("", "#option httpchk\n", false),
  ])
  func `a check of what the server says is found where it is in force`(
    defaults: String,
    own: String,
    checksContent: Bool
  ) {
    let document = Configuration(
      "\(defaults)backend other\noption httpchk\nbackend app\n\(own)server a 10.9.0.5:80 check\n"
    )

    #expect(document.checksContent(backend: "app") == checksContent)
  }
}

/// What keep-alive clients need to survive a reload, wherever it is said.
struct ReloadOptionTests {
  private static let idle = "option idle-close-on-response"

  @Test(arguments: [
    ("defaults\noption redispatch\n\(idle)\n", []),
    ("defaults base\noption redispatch\n\(idle)\ndefaults more from base\nretries 2\n", []),
    (
      "defaults base\noption redispatch\n\(idle)\ndefaults more from base\nno option redispatch\n",
      ["option redispatch"]
    ),
    (
      "defaults base\noption redispatch\n\(idle)\ndefaults\nretries 2\n",
      ["option redispatch", idle]
    ),
    ("", ["option redispatch", idle]),
  ])
  func `an option is in force where its defaults, or what these are made from, say so`(
    defaults: String,
    missing: [String]
  ) {
    let document = Configuration(
      "\(defaults)frontend web\nbind :80\nbackend app\nserver a 10.9.0.5:80\n"
    )

    #expect(document.missingReloadOptions(backend: "app") == missing)
  }
}
