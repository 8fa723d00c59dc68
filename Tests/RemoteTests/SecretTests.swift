import Remote
import Testing

struct SecretTests {
  @Test func `a secret is not printed in any way, and is lent whole`() {
    let secret = Secret(Array("open sesame".utf8))
    var dumped = ""

    dump([secret], to: &dumped)

    for text in ["\(secret)", String(reflecting: secret), "\([secret])", dumped] {
      #expect(!text.contains("sesame"))
      #expect(!text.contains("111"))  // "o", as dump prints bytes.
    }
    #expect(secret.withExposedBytes { $0 } == Array("open sesame".utf8))
  }
}
