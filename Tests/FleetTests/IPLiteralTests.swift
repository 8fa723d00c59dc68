import Fleet
import Testing

struct IPLiteralTests {
  @Test(arguments: [
    "127.0.0.1", "0.0.0.0", "255.255.255.255", "::", "::1", "1::", "fd00::5", "2001:db8::1:2",
    "1:2:3:4:5:6:7:8", "::ffff:10.0.0.1", "1:2:3:4:5:6:10.0.0.1", "FE80::ABCD",
  ])
  func `an address written as one is one`(text: String) {
    #expect(IPLiteral.isValid(text))
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "256.1.1.1", "01.2.3.4", "1.2.3.", "a.b.c.d", "localhost", ":", ":::",
    "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "12345::", "g::1", "[::1]", "fe80::1%eth0",
    "::1/128", "1.2.3.4::", "1:2:3:4:5:6:7::8", "+1.2.3.4", "١.2.3.4",
  ])
  func `anything else is none`(text: String) {
    #expect(!IPLiteral.isValid(text))
  }
}
