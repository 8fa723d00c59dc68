import HAProxy
import Testing

struct RefusalTests {
  @Test func `a server that no backend has is not found`() {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\n")

    #expect(throws: EditRefusal.notFound("b/x")) { try document.removing("b/x") }
    #expect(throws: EditRefusal.notFound("x/a")) { try document.rewriting("x/a", port: 81) }
    #expect(throws: EditRefusal.notFound("b/x")) { try document.adding("b/x") }
  }

  @Test func `servers of peers, rings and frontends are nobody's`() {
    let document = Configuration(Sample.rich.bytes)

    #expect(throws: EditRefusal.notFound("mesh/app1")) { try document.removing("mesh/app1") }
    #expect(throws: EditRefusal.notFound("lines/app1")) { try document.removing("lines/app1") }
  }

  @Test func `a server in both branches of an if is ambiguous`() {
    let document = Configuration(Sample.branches.bytes)

    #expect(throws: EditRefusal.ambiguous("app/app3", lines: [15, 17])) {
      try document.removing("app/app3")
    }
  }

  @Test(arguments: [
    ".if defined(SPARE)\nserver b 1.2.3.5:80\n.endif", "server b 1.2.3.5:80 weight 0",
    "server b 1.2.3.5:80 disabled", "server b 1.2.3.5:80 cookie enabled disabled",
    "#duplexctl-disabled server b 1.2.3.5:80",
  ])
  func `a server that only perhaps takes requests leaves the other one the last`(spare: String) {
    let document = Configuration("backend app\nserver a 1.2.3.4:80\n\(spare)\n")

    #expect(throws: EditRefusal.lastUsable("app/a", line: 2)) { try document.removing("app/a") }
  }

  @Test(arguments: ["down/x", "gone/x", "c", "b"])
  func `a server that follows one that is out takes no requests`(tracked: String) {
    let document = Configuration(
      """
      backend app
      server a 1.2.3.4:80
      server b 1.2.3.5:80 track \(tracked)
      server c 1.2.3.6:80 weight 0 cookie weight
      backend down
      server x 1.2.3.7:80 check disabled cookie enabled

      """
    )

    #expect(throws: EditRefusal.lastUsable("app/a", line: 2)) { try document.removing("app/a") }
  }

  @Test(arguments: [#""${A-10.0.0.1}:80""#, "$A:80", "'$A':80", "10.0.0.1:$PORT"])
  func `an address with a variable is not rewritten`(address: String) throws {
    let document = Configuration("backend b\nserver a \(address)\n")
    let read = try document.server("b/a").address

    #expect(throws: EditRefusal.variableInAddress("b/a", line: 2, address: read)) {
      try document.rewriting("b/a", port: 81)
    }
  }

  @Test(arguments: [
    "10.0.0.1", "10.0.0.1:", "10.0.0.1:+80", "10.0.0.1:-80", "/run/a.sock", "unix@/run/a:80",
    "abns@a:80", "10.0.0.1:080", "10.0.0.1:0", "10.0.0.1:65536", "10.0.0.1:80-90",
  ])
  func `an address without a plain port is not rewritten`(address: String) {
    let document = Configuration("backend b\nserver a \(address)\n")

    #expect(throws: EditRefusal.noPlainPort("b/a", line: 2, address: address)) {
      try document.rewriting("b/a", port: 81)
    }
  }

  @Test(arguments: [
    "use-server a if { path / }", "server t 1.2.3.5:80 track a", "server t 1.2.3.5:80 track b/a",
    "default-server track a", "acl up srv_is_up(b/a)", "acl up srv_conn(a) gt 2",
  ])
  func `a server that another line needs is not removed`(line: String) {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\nserver c 1.2.3.6:80\n\(line)\n")

    #expect(throws: EditRefusal.referenced("b/a", lines: [4])) { try document.removing("b/a") }
  }

  @Test(arguments: [
    "use-server a if { path / }", "server t 1.2.3.5:80 track a", "acl up srv_is_up(a)",
    "acl up srv_is_up(c/a)", "# use-server a",
  ])
  func `what another section says of its own server is no reference`(line: String) throws {
    let document = Configuration(
      "backend b\nserver a 1.2.3.4:80\nserver c 1.2.3.6:80\nbackend c\nserver a 1.2.3.4:80\n\(line)\n"
    )

    #expect(try document.removing("b/a")?.line == 2)
  }

  @Test(arguments: [
    "# alone", "server c 1.2.3.5:80 disabled", "#duplexctl-disabled server c 1.2.3.5:80",
    "#server c 1.2.3.5:80", "backend x\nserver c 1.2.3.5:80",
  ])
  func `the last server that takes requests is not removed`(line: String) {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\n\(line)\n")

    #expect(throws: EditRefusal.lastUsable("b/a", line: 2)) { try document.removing("b/a") }
  }

  @Test(arguments: [
    "server c 1.2.3.5:80 backup", "server c 1.2.3.5:80 disabled enabled", "server c /run/c.sock",
  ])
  func `another server that takes requests lets it go`(line: String) throws {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\n\(line)\n")

    #expect(try document.removing("b/a")?.line == 2)
  }

  @Test(arguments: [Int.min, -1, 0, 65_536, 99_999])
  func `a port that is none is not written`(port: Int) {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\n")

    #expect(throws: EditRefusal.portOutOfRange(port)) {
      try document.rewriting("b/a", port: port)
    }
  }

  @Test(arguments: [0, 1, 3, 4, -1, 99])
  func `an edit does not land on a line it was not made from`(line: Int) {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\nserver a2 1.2.3.4:80\n")
    let edit = LineEdit(line: line, before: Array("server a 1.2.3.4:80".utf8), after: [])

    #expect(throws: EditRefusal.lineDiffers(line: line)) { try document.applying(edit) }
  }
}
