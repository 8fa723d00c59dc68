import Testing

@testable import SSH

/// What known_hosts files mean, without a server.
struct KnownHostsTests {
  private static let key = HostKey(blob: blob("ssh-ed25519", 1))
  private static let otherKey = HostKey(blob: blob("ssh-ed25519", 2))
  private static let ecdsaKey = HostKey(blob: blob("ecdsa-sha2-nistp256", 3))

  /// A line of a file, the machine, and what the file then says about `key`.
  struct Row: CustomTestStringConvertible, Sendable {
    var line: String
    var host = "app1"
    var port = 22
    var verdict: String
    var testDescription: String { "\(line) for \(host):\(port)" }
  }

  /// KEY, OTHER and ECDSA stand for keys; the machine shows KEY. H is "app1" under `ssh-keygen -H`.
  static let rows = [
    Row(line: "app1 KEY", verdict: "known"),
    Row(line: "app1 KEY a comment", verdict: "known"),
    Row(line: " \tapp1\t KEY\r", verdict: "known"),
    Row(line: "APP1 KEY", verdict: "known"),
    Row(line: "app1 KEY", host: "App1", verdict: "known"),
    Row(line: "lb1,app1,10.0.0.1 KEY", verdict: "known"),
    Row(line: "lb1,app1,10.0.0.1 KEY", host: "10.0.0.1", verdict: "known"),
    Row(line: "app1 OTHER", verdict: "changed"),
    Row(line: "app1 OTHER\napp1 KEY", verdict: "known"),
    Row(line: "app1 ECDSA", verdict: "unknown, other types"),
    Row(line: "app2 KEY", verdict: "unknown"),
    Row(line: "app KEY", verdict: "unknown"),
    Row(line: "app11 KEY", verdict: "unknown"),
    Row(line: "", verdict: "unknown"),
    Row(line: "# app1 KEY", verdict: "unknown"),
    Row(line: "app* KEY", verdict: "known"),
    Row(line: "*p1 KEY", verdict: "known"),
    Row(line: "a*p*1* KEY", verdict: "known"),
    Row(line: "app? KEY", verdict: "known"),
    Row(line: "app?? KEY", verdict: "unknown"),
    Row(line: "app*,!app1 KEY", verdict: "unknown"),
    Row(line: "!app1,app* KEY", verdict: "unknown"),
    Row(line: "app*,!app2 KEY", verdict: "known"),
    Row(line: "!app2 KEY", verdict: "unknown"),
    Row(line: "[app1]:2222 KEY", port: 2222, verdict: "known"),
    Row(line: "[app1]:2222 KEY", verdict: "unknown"),
    Row(line: "[app1]:2222 OTHER", port: 2222, verdict: "changed"),
    Row(line: "[app*]:22?? KEY", port: 2222, verdict: "known"),
    Row(line: "app1 KEY", port: 2222, verdict: "known"),
    Row(line: "app1 OTHER", port: 2222, verdict: "unknown"),
    Row(line: "@revoked app1 KEY", verdict: "revoked"),
    Row(line: "@revoked * KEY\napp1 KEY", verdict: "revoked"),
    Row(line: "app1 KEY\n@revoked * KEY", verdict: "revoked"),
    Row(line: "app1 KEY\n@revoked app1 KEY", port: 2222, verdict: "revoked"),
    Row(line: "app1 KEY\n@revoked app1 OTHER", verdict: "known"),
    Row(line: "app1 KEY\n@revoked app2 KEY", verdict: "known"),
    Row(line: "@cert-authority app1 KEY", verdict: "only authority"),
    Row(line: "@cert-authority *.net KEY", verdict: "unknown"),
    Row(line: "@cert-authority app1 OTHER\napp1 KEY", verdict: "known"),
    Row(line: "@unheard-of app1 KEY", verdict: "unknown"),
    Row(line: "|1|ABEiM0RVZneImaq7zN3u/wARIjM=|HASH KEY", verdict: "known"),
    Row(line: "|1|ABEiM0RVZneImaq7zN3u/wARIjM=|HASH KEY", host: "app2", verdict: "unknown"),
    Row(line: "|2|ABEiM0RVZneImaq7zN3u/wARIjM=|HASH KEY", verdict: "unknown"),
    Row(line: "app1 ssh-ed25519 not/base64!", verdict: "unknown"),
    Row(line: "app1 ssh-rsa KEYBLOB", verdict: "unknown"),
    Row(line: "app1", verdict: "unknown"),
  ]

  @Test(arguments: rows) func `a line means what sshd(8) says`(_ row: Row) {
    let known = Self.known(row.line)

    let verdict = known.verdict(
      on: Self.key,
      of: KnownHostsName(host: row.host, port: row.port)
    )

    #expect(Self.words(for: verdict) == row.verdict)
  }

  @Test func `a verdict names the file and the line`() {
    let known = Self.known("# first\n\napp1 OTHER")

    let verdict = known.verdict(on: Self.key, of: KnownHostsName(host: "app1", port: 22))

    #expect(verdict == .changed(KnownHosts.Origin(file: "known_hosts", line: 3)))
  }

  @Test func `lines that cannot be read are noted and do not hide others`() {
    let known = Self.known("app1\n@unheard-of app1 KEY\napp1 KEY")

    #expect(known.entries.map(\.origin.line) == [3])
    #expect(known.unreadable.map(\.line) == [1, 2])
  }

  @Test func `the types to ask for are those that are known, in their order`() {
    let known = Self.known("app1 ECDSA\n@revoked app1 OTHER\napp1 KEY\napp* ECDSA\napp2 KEY")

    let types = known.keyTypes(for: KnownHostsName(host: "app1", port: 22))

    #expect(types == ["ecdsa-sha2-nistp256", "ssh-ed25519"])
  }

  @Test func `no bytes at all can upset the reader`() {
    var state: UInt64 = 42
    let line = Array(
      Self.expanded("|1|ABEiM0RVZneImaq7zN3u/wARIjM=|HASH KEY\n@revoked a,!b KEY").utf8
    )
    for _ in 0..<2000 {
      var bytes = line
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      bytes[Int(state >> 33) % bytes.count] = UInt8(truncatingIfNeeded: state >> 20)
      var known = KnownHosts()
      known.read(bytes, file: "known_hosts")
      // Three lines at most, where the change made a line end.
      #expect((1...3).contains(known.entries.count + known.unreadable.count))
    }
  }

  private static func known(_ text: String) -> KnownHosts {
    var known = KnownHosts()
    known.read(Array(expanded(text).utf8), file: "known_hosts")
    return known
  }

  private static func expanded(_ text: String) -> String {
    let hash = Digest.hmacSHA1(
      Array("app1".utf8),
      key: Base64.decode(Array("ABEiM0RVZneImaq7zN3u/wARIjM=".utf8)) ?? []
    )
    var expanded = text
    for (word, key) in [("KEYBLOB", key), ("KEY", key), ("OTHER", otherKey), ("ECDSA", ecdsaKey)] {
      let blob = Base64.encodeUnpadded(key.blob)
      let padded = blob + String(repeating: "=", count: (4 - blob.count % 4) % 4)
      expanded.replace(word, with: word == "KEYBLOB" ? padded : "\(key.type) \(padded)")
    }
    expanded.replace("HASH", with: Base64.encodeUnpadded(hash) + "=")
    return expanded
  }

  private static func blob(_ type: String, _ filling: UInt8) -> [UInt8] {
    var writer = WireWriter()
    writer.string(type.utf8)
    writer.string([UInt8](repeating: filling, count: 32))
    return writer.bytes
  }

  private static func words(for verdict: KnownHostsVerdict) -> String {
    switch verdict {
    case .known: "known"
    case .unknown(let otherTypes): otherTypes.isEmpty ? "unknown" : "unknown, other types"
    case .changed: "changed"
    case .revoked: "revoked"
    case .onlyCertificateAuthority: "only authority"
    }
  }
}
