import Testing

@testable import Duplex

@Suite struct ShadowFrontTests {
  /// A client's bytes through a front, as the server passes them, and what the shadows got of them.
  private struct Passage {
    var front: ShadowFront?
    var budget = ShadowBudget(perConnection: 1000, total: 1000)
    var copied: [UInt8] = []

    init(_ change: ShadowFront.Change) { front = ShadowFront(change) }

    mutating func send(_ bytes: [UInt8]) {
      guard let release = bytes.withUnsafeBytes({ front?.received($0, &budget) }) else {
        copied += bytes
        return
      }
      take(release, bytes)
    }

    mutating func end() {
      if let release = front?.clientDone(&budget) { take(release, []) }
    }

    mutating func beSilent() {
      if let release = front?.clientIsSilent() { take(release, []) }
    }

    private mutating func take(_ release: ShadowFront.Release, _ bytes: [UInt8]) {
      if release.isOver { front = nil }
      copied += release.before + bytes[release.skipped...]
    }
  }

  private static let header1 = Array("PROXY TCP4 192.0.2.1 198.51.100.9 56324 443\r\n".utf8)
  private static let header2 = ProxyProtocolHeader.version2(nil)
  private static let appended =
    header2[..<14] + [1, 44] + [UInt8](repeating: 9, count: 300)
  private static let request = Array("GET / HTTP/1.1\r\n\r\n".utf8)
  private static let own = Array("own header;".utf8)

  /// What the shadows get of bytes that are cut in two, then the end.
  private func copy(_ bytes: [UInt8], cutAt cut: Int, _ change: ShadowFront.Change) -> [UInt8] {
    var passage = Passage(change)
    passage.send(Array(bytes[..<cut]))
    passage.send(Array(bytes[cut...]))
    passage.end()
    #expect(passage.budget.used == 0)
    #expect(passage.front == nil)
    return passage.copied
  }

  @Test(arguments: [header1, header2, Array(appended)])
  func `a header is stripped and the rest is not, in every cut`(_ header: [UInt8]) {
    let bytes = header + Self.request
    for cut in 1..<bytes.count {
      #expect(copy(bytes, cutAt: cut, .strip) == Self.request, "cut at \(cut)")
    }
  }

  @Test(arguments: [header1, header2, Array(appended)])
  func `a header that is there is kept where one would be added, in every cut`(_ header: [UInt8]) {
    let bytes = header + Self.request
    for cut in 1..<bytes.count {
      #expect(copy(bytes, cutAt: cut, .add(Self.own)) == bytes, "cut at \(cut)")
    }
  }

  @Test(arguments: [
    "GET / HTTP/1.1", "PROXZ", "PROXY", "\r\n\r\n\0\r\nQUIU", "P", "\r\n\r\n\0\r\nQUIT",
  ])
  func `bytes without a header are copied whole, and get one where it is wanted`(_ text: String) {
    let bytes = Array(text.utf8)
    for cut in 0..<bytes.count {
      #expect(copy(bytes, cutAt: cut, .strip) == bytes, "cut at \(cut)")
      #expect(copy(bytes, cutAt: cut, .add(Self.own)) == Self.own + bytes, "cut at \(cut)")
    }
  }

  @Test func `a malformed header is copied as it is`() {
    let bytes = Array("PROXY TCP4 nonsense\r\nGET".utf8)
    for cut in 1..<bytes.count {
      #expect(copy(bytes, cutAt: cut, .strip) == bytes, "cut at \(cut)")
      #expect(copy(bytes, cutAt: cut, .add(Self.own)) == bytes, "cut at \(cut)")
    }
  }

  @Test func `a silent client's shadow gets its header, and one that has begun waits`() {
    var silent = Passage(.add(Self.own))
    silent.beSilent()
    #expect(silent.copied == Self.own)
    silent.send(Self.request)
    #expect(silent.copied == Self.own + Self.request)

    var begun = Passage(.add(Self.own))
    begun.send(Array("PRO".utf8))
    begun.beSilent()
    #expect(begun.copied == [])

    var stripped = Passage(.strip)
    stripped.beSilent()
    #expect(stripped.copied == [])
    #expect(stripped.front != nil)
  }

  @Test func `what is held counts against the budget until it is let go`() {
    var passage = Passage(.strip)
    passage.budget = ShadowBudget(perConnection: 4, total: 5)
    passage.send(Array("PROX".utf8))
    #expect(passage.budget.used == 4)
    #expect(passage.front?.refusal(passage.budget) == nil)

    passage.send(Array("Y".utf8))
    #expect(passage.front?.refusal(passage.budget) == .lagging)

    var other = ShadowFront(.strip)
    #expect(other.refusal(passage.budget) == nil)
    _ = [13].withUnsafeBytes { (byte: UnsafeRawBufferPointer) in
      other.received(UnsafeRawBufferPointer(rebasing: byte[..<1]), &passage.budget)
    }
    #expect(other.refusal(passage.budget) == .budget)
    _ = other.clientDone(&passage.budget)
    passage.end()
    #expect(passage.budget.used == 0)
  }
}
