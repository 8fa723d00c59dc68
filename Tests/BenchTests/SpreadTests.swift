import Testing

@testable import Bench

struct SpreadTests {
  @Test func `the middle of an odd number of values is one of them`() {
    #expect(Spread([3, 1, 9]).map { [$0.median, $0.least, $0.most] } == [3, 1, 9])
  }
}
