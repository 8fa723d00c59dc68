import Fleet
import Testing

struct AddressRangeTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.255.0.1", true), ("10.0.0.0/8", "11.0.0.1", false),
    ("10.9.0.0/22", "10.9.3.255", true), ("10.9.0.0/22", "10.9.4.0", false),
    ("10.9.0.10", "10.9.0.10", true), ("10.9.0.10", "10.9.0.11", false),
    ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "fd00::1", false),
    ("fd00::/8", "fdff::1", true), ("fd00::/8", "fe00::1", false),
    ("2001:db8::1:2", "2001:db8:0:0:0:0:1:2", true), ("::1", "::1", true),
    ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8", true), ("1::/16", "1:ffff::", true),
    ("::/0", "fd00::1", true), ("::/0", "10.0.0.1", false),
    ("::ffff:10.0.0.0/104", "10.1.2.3", true), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
    ("10.0.0.0/8", "lb1", false),
  ])
  func `an address is in a range or not`(text: String, address: String, isIn: Bool) throws {
    let range = try #require(AddressRange(written: text))

    #expect(range.contains(address) == isIn)
    #expect(range.description == text)
  }

  @Test(arguments: [
    "", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/08", "10.0.0.0/8/8",
    "10.0.0.1/8",
    "fd00::/129", "fd00::1/64", "lb1", "10.0.0/8", "::ffff:10.0.0.1/8",
  ])
  func `what the proxy would refuse is no range`(text: String) {
    #expect(AddressRange(written: text) == nil)
  }
}
