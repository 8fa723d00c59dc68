/// How a stream has filled what it was received into lately: what tells chatter from a download.
struct Fullness {
  /// A receive of so many bytes is a full one.
  static let full = 16 * 1024

  private var score: Int8 = 0

  /// Two full receives in a row make a stream bulky, and a dozen others make it chatter again.
  var isBulky: Bool { score >= 4 }

  mutating func received(_ count: Int) {
    score = count >= Self.full ? min(score + 2, 16) : max(score - 1, 0)
  }
}
