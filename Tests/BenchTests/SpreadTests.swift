import Testing

@testable import Bench

struct SpreadTests {
  @Test func `the middle of an odd number of values is one of them`() {
    #expect(Spread([3, 1, 9]) == Spread(median: 3, least: 1, most: 9))
  }

  @Test func `the middle of an even number of values lies between two of them`() {
    #expect(Spread([4, 1, 2, 9]) == Spread(median: 3, least: 1, most: 9))
  }

  @Test func `no values have no middle`() {
    #expect(Spread([]) == nil)
  }
}

struct NumberTests {
  @Test(arguments: [
    (0.0, "0.00"), (0.9, "0.90"), (1.005, "1.00"), (9.999, "10.00"), (12.34, "12.3"),
    (-12.34, "-12.3"), (-0.5, "-0.50"), (99.96, "100.0"), (123.4, "123"), (1_234_567, "1,234,567"),
    (1_005, "1,005"), (-1_234, "-1,234"),
  ])
  func `numbers are written as people read them`(number: Double, text: String) {
    #expect(Number.short(number) == text)
  }
}
