import HAProxy
import Testing

/// What `sed 's/server app1/#server app1/'` and its like did to a file like this one.
struct TextSearchTests {
  private let document = Configuration(Sample.rich.bytes)

  @Test func `one line is changed, whatever else says server app1`() throws {
    let edit = try #require(try document.removing("app/app1"))

    #expect(
      try document.applying(edit).text
        == Sample.rich.text.replacingOnly(
          "\tserver\tapp1\t10.0.0.1:80\tcheck\tweight 10# glued",
          with: "#duplexctl-disabled \tserver\tapp1\t10.0.0.1:80\tcheck\tweight 10# glued"
        )
    )
  }

  @Test func `what operators commented out long ago does not come back to life`() throws {
    let removed = try document.edited(document.removing("app/app1"))

    #expect(try removed.edited(removed.adding("app/app1")) == document)
  }

  @Test func `a server of the same name in another backend keeps its port`() throws {
    let moved = try document.edited(document.rewriting("direct/app1", port: 8079))

    #expect(
      moved.text
        == Sample.rich.text.replacingOnly(
          "    server app1 10.0.0.1:9090",
          with: "    server app1 10.0.0.1:8079"
        )
    )
  }

  @Test func `a name and an address that begin another's do not reach it`() throws {
    let moved = try document.edited(document.rewriting("app/app10", port: 8079))

    #expect(
      moved.text
        == Sample.rich.text.replacingOnly(
          #"    ser"ver" app10 10.0.0.10:80"#,
          with: #"    ser"ver" app10 10.0.0.10:8079"#
        )
    )
  }

  @Test func `a quoted name and a quoted keyword are found`() throws {
    #expect(try document.server("app/app2").port == 80)
    #expect(try document.server("app/app10").host == "10.0.0.10")
  }

  @Test func `every server line of the file is read, and no other`() {
    #expect(
      document.servers.map { "\($0.line) \($0.id) \($0.address)" } == [
        "31 app/app1 10.0.0.1:80", "32 app/app2 10.0.0.2:80", "33 app/app10 10.0.0.10:80",
        "34 app/app11 [fd00::11]:80", "37 other/app1 10.0.0.1:8080",
        "38 other/app2 10.0.0.2:8080", "45 direct/app1 10.0.0.1:9090",
        "46 direct/sock unix@/run/app.sock", "47 direct/same 10.0.0.4",
      ]
    )
  }

  @Test func `references that a search for server and name misses are refused`() {
    #expect(throws: EditRefusal.referenced("other/app1", lines: [38, 39])) {
      try document.removing("other/app1")
    }
    #expect(throws: EditRefusal.referenced("other/app2", lines: [43])) {
      try document.removing("other/app2")
    }
  }
}

extension String {
  /// The text with the one place changed at which `old` stands as a line's beginning.
  fileprivate func replacingOnly(_ old: String, with new: String) -> String {
    let lines = split(separator: "\n", omittingEmptySubsequences: false)
    let changed = lines.map { $0.hasPrefix(old) ? new + $0.dropFirst(old.count) : $0[...] }
    precondition(zip(lines, changed).count { $0 != $1 } == 1, "\(old) does not stand there once")
    return changed.joined(separator: "\n")
  }
}
