import Fleet
import Testing

struct CopyingTests {
  @Test(arguments: ["10%", "0.5%", "100%", "100.0%", "0.0001%", "12.3456%"])
  func `a share is kept as it is written`(text: String) {
    #expect(Copying.Sample(written: text)?.description == text)
  }

  @Test(arguments: [
    "", "%", "10", "0%", "0.0%", "101%", "100.0001%", "0.00001%", ".5%", "5.%", "1.2.3%", "-1%",
    "1e1%", "١%", "010%", "1%%",
  ])
  func `what is no share is none`(text: String) {
    #expect(Copying.Sample(written: text) == nil)
  }
}
