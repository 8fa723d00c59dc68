import Duplex

/// The first byte says how the others are cut.
enum HeaderTarget {
  private static let own = ProxyProtocolHeader.version2(nil)

  static func examine(_ input: [UInt8]) throws(BrokenPromise) {
    let (seed, bytes) = (Int(input.first ?? 0), Array(input.dropFirst()))
    let whole = outcome(bytes, inPiecesOf: [bytes.count])
    for sizes in [[1], [seed % 7 + 1, seed / 7 + 1]] {
      let cut = outcome(bytes, inPiecesOf: sizes)
      try promise(cut == whole, "pieces of \(sizes) mean \(cut), the whole means \(whole)")
      for change in [ShadowFront.Change.strip, .add(own)] {
        let (cut, whole) = (try copy(bytes, sizes, change), try copy(bytes, [bytes.count], change))
        try promise(cut == whole, "pieces of \(sizes) are copied otherwise than the whole")
        let expected = expectedCopy(bytes, outcome(bytes, inPiecesOf: [bytes.count]), change)
        try promise(whole == expected, "the copy is \(whole), and \(expected) was due")
      }
    }
    if case .header(let header) = whole { try examine(header) }
  }

  private static func examine(_ header: ProxyProtocolHeader) throws(BrokenPromise) {
    try promise((15...(16 + 65535)).contains(header.length), "a header of \(header.length) bytes")
    guard let ends = header.ends else { return }
    for address in [ends.source.address, ends.destination.address] {
      try promise(IPAddress(address.description) == address, "\(address) is read otherwise")
    }
    let made = ProxyProtocolHeader.version2(ends)
    let read = outcome(made, inPiecesOf: [made.count])
    try promise(
      read == .header(ProxyProtocolHeader(length: made.count, ends: ends)),
      "\(ends) is written so that it is read as \(read)"
    )
  }

  private static func outcome(
    _ bytes: [UInt8],
    inPiecesOf sizes: [Int]
  ) -> ProxyProtocolParser.Outcome {
    var parser = ProxyProtocolParser()
    for piece in pieces(bytes, sizes) where parser.outcome == .undecided {
      _ = piece.withUnsafeBytes { parser.take($0) }
    }
    return parser.outcome
  }

  /// What a shadow gets of the bytes and the end after them.
  private static func copy(
    _ bytes: [UInt8],
    _ sizes: [Int],
    _ change: ShadowFront.Change
  ) throws(BrokenPromise) -> [UInt8] {
    var budget = ShadowBudget(perConnection: 1000, total: 1000)
    var front: ShadowFront? = ShadowFront(change)
    var copied: [UInt8] = []
    for piece in pieces(bytes, sizes) {
      guard let release = piece.withUnsafeBytes({ front?.received($0, &budget) }) else {
        copied += piece
        continue
      }
      try promise((0...piece.count).contains(release.skipped), "skips \(release.skipped) bytes")
      try promise(budget.used <= ProxyProtocolParser.longest, "\(budget.used) bytes are held")
      copied += release.before + piece[release.skipped...]
      if release.isOver { front = nil }
    }
    if let release = front?.clientDone(&budget) { copied += release.before }
    try promise(budget.used == 0, "\(budget.used) bytes stay in the budget")
    return copied
  }

  private static func expectedCopy(
    _ bytes: [UInt8],
    _ outcome: ProxyProtocolParser.Outcome,
    _ change: ShadowFront.Change
  ) -> [UInt8] {
    switch (outcome, change) {
    case (.header(let header), .strip): Array(bytes.dropFirst(header.length))
    case (.header, .add), (.malformed, _), (_, .strip): bytes
    case (.undecided, .add(let own)), (.noHeader, .add(let own)): own + bytes
    }
  }

  private static func pieces(_ bytes: [UInt8], _ sizes: [Int]) -> [[UInt8]] {
    var pieces: [[UInt8]] = []
    var rest = bytes[...]
    while !rest.isEmpty {
      let piece = rest.prefix(sizes[pieces.count % sizes.count])
      pieces.append(Array(piece))
      rest = rest.dropFirst(piece.count)
    }
    return pieces
  }
}
