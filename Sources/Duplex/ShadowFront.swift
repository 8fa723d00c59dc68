/// What a shadow's copy does with a PROXY protocol header at its front. The primary gets its bytes untouched.
package enum ShadowProxyProtocol: String, Sendable, CaseIterable {
  /// The copy is as the client's bytes are.
  case keep
  /// A header is left out of the copy.
  case strip
  /// A copy without a header gets one, of version 2, with the client's real address.
  case add
}

/// The front of one client's bytes on its way to the shadows, until it is known whether it is a PROXY protocol
/// header. It exists only while that matters: the rest of the connection passes by without it.
///
/// What is held meanwhile counts against the budget of the shadows. A malformed header is copied as it is:
/// what to make of it is for the shadow to say, as it is for the primary.
package struct ShadowFront: Sendable {
  package enum Change: Sendable, Equatable {
    case strip
    /// The header to be put in front of a copy that has none.
    case add([UInt8])
  }

  /// What of the bytes goes to the shadows now.
  package struct Release: Sendable, Equatable {
    /// Goes first.
    package var before: [UInt8] = []
    /// How many of the bytes at hand do not go.
    package var skipped: Int
    /// The front is over: what follows goes to the shadows as it comes.
    package var isOver = false
  }

  private let change: Change
  private var parser = ProxyProtocolParser()
  /// Bytes that wait for the decision.
  private var held = 0
  /// Bytes of the header that have still to come, and to be left out.
  private var toSkip = 0

  package init(_ change: Change) { self.change = change }

  /// Whether too much is held; the lanes have nothing queued as long as something is.
  package func refusal(_ budget: ShadowBudget) -> ShadowDrop? {
    if held > budget.perConnection { return .lagging }
    return held > 0 && budget.used > budget.total ? .budget : nil
  }

  /// The client's next bytes.
  package mutating func received(
    _ bytes: UnsafeRawBufferPointer,
    _ budget: inout ShadowBudget
  ) -> Release {
    guard toSkip == 0 else { return skip(bytes.count) }
    let waiting = held
    let outcome = parser.take(bytes)
    switch (outcome, change) {
    case (.undecided, _):
      held += bytes.count
      budget.take(bytes.count)
      return Release(skipped: bytes.count)
    case (.header(let header), .strip):
      letGo(&budget)
      toSkip = header.length - waiting
      return skip(bytes.count)
    case (.header, .add), (.malformed, _):
      letGo(&budget)
      return Release(before: Array(parser.held[..<waiting]), skipped: 0, isOver: true)
    case (.noHeader, _):
      letGo(&budget)
      return Release(before: added + parser.held[..<waiting], skipped: 0, isOver: true)
    }
  }

  /// The client has sent its last byte, or is gone: what is held is no header any more.
  package mutating func clientDone(_ budget: inout ShadowBudget) -> Release {
    guard toSkip == 0 else { return Release(skipped: 0, isOver: true) }
    letGo(&budget)
    return Release(before: added + parser.held, skipped: 0, isOver: true)
  }

  /// The client was given time to begin. One that has a header to send does so at once (section 2), so a silent
  /// one has none, and a shadow that waits for one need wait no longer.
  package mutating func clientIsSilent() -> Release? {
    guard case .add(let header) = change, held == 0 else { return nil }
    return Release(before: header, skipped: 0, isOver: true)
  }

  private var added: [UInt8] {
    if case .add(let header) = change { header } else { [] }
  }

  private mutating func skip(_ count: Int) -> Release {
    let skipped = min(toSkip, count)
    toSkip -= skipped
    return Release(skipped: skipped, isOver: toSkip == 0)
  }

  private mutating func letGo(_ budget: inout ShadowBudget) {
    budget.giveBack(held)
    held = 0
  }
}
