import COpenSSL

/// The SHA-256 of some bytes, in lower-case hex, as sha256sum(1) prints it.
package func sha256Hex(_ bytes: [UInt8]) -> String {
  duplex_openssl_begin()
  var digest = [UInt8](repeating: 0, count: 32)
  let status = EVP_Digest(bytes, bytes.count, &digest, nil, EVP_sha256(), nil)
  precondition(status == 1, "OpenSSL has no SHA-256")
  let digits = Array("0123456789abcdef".utf8)
  return String(
    decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] },
    as: UTF8.self
  )
}
