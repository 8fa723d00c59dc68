import Testing

@testable import Duplex

@Suite struct IPAddressTextTests {
  @Test(arguments: [
    ("10.0.0.1", "10.0.0.1"), ("0.0.0.0", "0.0.0.0"), ("255.255.255.255", "255.255.255.255"),
    ("::", "::"), ("::1", "::1"), ("fd00::5", "fd00::5"), ("FD00:0:0:0:0:0:0:5", "fd00::5"),
    ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("1:0:0:2:3:0:0:4", "1::2:3:0:0:4"),
    ("1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"), ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"),
    ("64:ff9b::10.0.0.1", "64:ff9b::a00:1"), ("::ffff:10.0.0.1", "10.0.0.1"),
    ("::ffff:a00:1", "10.0.0.1"), ("::10.0.0.1", "::a00:1"),
  ])
  func `an address is read, and written as RFC 5952 says`(_ text: String, _ written: String) {
    #expect(IPAddress(text)?.description == written)
  }

  @Test(arguments: [
    "", "10.0.0", "10.0.0.1.2", "10.0.0.256", "10.0.0.01", "10.0.0.+1", "10.0.0.1 ", "1", ":",
    ":::",
    "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1:2:3:4:5:6:7:8::", "12345::", "g::", "+1::",
    "::1%eth0", "[::1]", "1.2.3.4::", "::1.2.3.4:5", ":1", "1:", "fd00::5/8", "localhost",
  ])
  func `what is no address is none`(_ text: String) {
    #expect(IPAddress(text) == nil)
  }
}

@Suite struct AddressRangeTests {
  @Test(arguments: [
    ("10.0.0.0/8", "10.0.0.0/8"), ("192.0.2.7", "192.0.2.7/32"), ("0.0.0.0/0", "0.0.0.0/0"),
    ("fd00::/8", "fd00::/8"), ("::1", "::1/128"), ("::/0", "::/0"),
    ("::ffff:10.0.0.0/104", "10.0.0.0/8"), ("fd00:0:0:8000::/49", "fd00:0:0:8000::/49"),
  ])
  func `a range is read, and written with its length`(_ text: String, _ written: String) throws {
    #expect(try AddressRange(text).description == written)
  }

  @Test(arguments: [
    ("10.0.0.1/8", "10.0.0.0/8"), ("10.9.8.7/0", "0.0.0.0/0"), ("fd00::1/64", "fd00::/64"),
    ("fd00::1/0", "::/0"), ("10.0.0.129/25", "10.0.0.128/25"),
  ])
  func `bits beyond the length are refused, with the range that was meant`(
    _ text: String,
    _ meant: String
  ) throws {
    let range = try AddressRange(meant)
    #expect(throws: AddressRange.Problem.bitsBeyond(range)) { try AddressRange(text) }
  }

  @Test(arguments: [
    "", "/", "10.0.0.0/", "/8", "10.0.0.0/33", "fd00::/129", "10.0.0.0/08", "10.0.0.0/-1",
    "10.0.0.0/8/8", "10.0.0.0/+8", "web/8", "10.0.0.0/255.0.0.0",
  ])
  func `what is no range is refused`(_ text: String) {
    #expect(throws: AddressRange.Problem.notARange) { try AddressRange(text) }
  }

  @Test(arguments: [
    ("10.0.0.0/8", "10.255.255.255", true), ("10.0.0.0/8", "11.0.0.0", false),
    ("10.0.0.0/8", "9.255.255.255", false), ("10.0.0.0/8", "::ffff:10.1.2.3", true),
    ("10.0.0.0/8", "::10.1.2.3", false), ("0.0.0.0/0", "203.0.113.9", true),
    ("0.0.0.0/0", "fd00::1", false), ("::/0", "fd00::1", true), ("::/0", "203.0.113.9", false),
    ("::/0", "::ffff:203.0.113.9", false), ("192.0.2.7", "192.0.2.7", true),
    ("192.0.2.7", "192.0.2.6", false), ("fd00::/64", "fd00::ffff:1", true),
    ("fd00::/64", "fd00:0:0:1::", false), ("fd00::8000:0:0:0/65", "fd00::9000:0:0:1", true),
    ("fd00::8000:0:0:0/65", "fd00::7000:0:0:1", false),
  ])
  func `a range contains its own family's addresses`(
    _ range: String,
    _ address: String,
    _ contains: Bool
  ) throws {
    let address = try #require(IPAddress(address))
    #expect(try AddressRange(range).contains(address) == contains)
  }
}
