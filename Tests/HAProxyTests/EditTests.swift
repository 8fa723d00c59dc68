import HAProxy
import Testing

struct EditTests {
  @Test(arguments: ["\u{B}", "\u{C}", "\r", " \t\r"])
  func `every blank of isspace(3) parts words, as in HAProxy`(blank: String) throws {
    let document = Configuration(
      "backend b\n\(blank)server\(blank)a\(blank)10.0.0.1:80\(blank)check\(blank)\n\(blank)backend c\n"
        + "server b 10.0.0.2:80\n"
    )

    #expect(document.servers.map(\.id) == ["b/a", "c/b"])
    #expect(document.servers[0].address == "10.0.0.1:80")
    let edit = try #require(try document.rewriting("b/a", port: 81))
    #expect(
      try document.applying(edit).text
        == document.text.replacing("10.0.0.1:80", with: "10.0.0.1:81")
    )
  }

  private let before = """
    frontend web
      default_backend app

    backend app
      balance roundrobin
    \tserver  app1\t10.9.0.5:80  check # first
      server app10 10.9.0.50:80 check
    backend spare
      server app1 10.9.0.5:80 check

    """

  @Test func `removing comments the one line out and keeps every byte of it`() throws {
    let document = Configuration(before)

    let removed = try document.edited(document.removing("app/app1"))

    #expect(
      removed.text == """
        frontend web
          default_backend app

        backend app
          balance roundrobin
        #duplexctl-disabled \tserver  app1\t10.9.0.5:80  check # first
          server app10 10.9.0.50:80 check
        backend spare
          server app1 10.9.0.5:80 check

        """
    )
    #expect(try removed.server("app/app1").state == .disabled)
  }

  @Test func `rewriting changes the port and nothing else`() throws {
    let document = Configuration(before)

    let rewritten = try document.edited(document.rewriting("app/app1", port: 8079))

    #expect(
      rewritten.text == """
        frontend web
          default_backend app

        backend app
          balance roundrobin
        \tserver  app1\t10.9.0.5:8079  check # first
          server app10 10.9.0.50:80 check
        backend spare
          server app1 10.9.0.5:80 check

        """
    )
  }

  @Test func `remove, rewrite and add together move the port only`() throws {
    let document = Configuration(before)

    let removed = try document.edited(document.removing("app/app1"))
    let moved = try removed.edited(removed.rewriting("app/app1", port: 81))
    let added = try moved.edited(moved.adding("app/app1"))

    #expect(added == (try document.edited(document.rewriting("app/app1", port: 81))))
  }

  @Test(arguments: Sample.allCases)
  func `the inverses of a whole switch, last first, restore every byte`(sample: Sample) throws {
    let original = Configuration(sample.bytes)
    var document = original
    var edits: [LineEdit] = []

    for make in [Configuration.removing, Configuration.movingToProxy, Configuration.adding] {
      let edit = try #require(try make(document)(sample.server))
      document = try document.applying(edit)
      edits.append(edit)
    }

    #expect(document != original)
    for edit in edits.reversed() { document = try document.applying(edit.inverse) }
    #expect(document == original)
  }

  @Test func `there is no edit where all is as wished`() throws {
    let document = Configuration(before)
    let removed = try document.edited(document.removing("app/app1"))

    #expect(try document.adding("app/app1") == nil)
    #expect(try removed.removing("app/app1") == nil)
    #expect(try document.rewriting("app/app1", port: 80) == nil)
  }

  @Test(arguments: [
    ("server a 10.0.0.1:80", "server a 10.0.0.1:8079"),
    ("server a [fd00::80]:80 check port 80", "server a [fd00::80]:8079 check port 80"),
    ("server a fd00::80:80 weight 80", "server a fd00::80:8079 weight 80"),
    ("server a ipv4@10.0.0.80:80", "server a ipv4@10.0.0.80:8079"),
    (#"server a "10.0.0.1:80""#, #"server a "10.0.0.1:8079""#),
    (#"server a 10.0.0."1":80#80"#, #"server a 10.0.0."1":8079#80"#),
    (#""server" 'a' host80.example:80"#, #""server" 'a' host80.example:8079"#),
    ("server a 10.0.0.1:80\r", "server a 10.0.0.1:8079\r"),
    ("#duplexctl-disabled server a 10.0.0.1:80", "#duplexctl-disabled server a 10.0.0.1:8079"),
  ])
  func `a port is found however the address is written`(before: String, after: String) throws {
    let document = Configuration("backend b\n\(before)\n")

    let edited = try document.edited(document.rewriting("b/a", port: 8079))

    #expect(edited == Configuration("backend b\n\(after)\n"))
  }

  @Test func `a line without an LF at the end of the file gets none`() throws {
    let document = Configuration("backend b\nserver a 1.2.3.4:80\nserver c 1.2.3.5:80")

    let edited = try document.edited(document.removing("b/c"))

    #expect(
      edited.text
        == "backend b\nserver a 1.2.3.4:80\n#duplexctl-disabled server c 1.2.3.5:80"
    )
  }
}

extension Configuration {
  fileprivate func movingToProxy(_ id: ServerID) throws -> LineEdit? {
    try rewriting(id, port: 8079)
  }
}
