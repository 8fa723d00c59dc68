import COpenSSL

/// The digests that SSH's files need, from OpenSSL.
enum Digest {
  static func sha256(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, by: EVP_sha256()) }
  static func sha512(_ bytes: [UInt8]) -> [UInt8] { digest(bytes, by: EVP_sha512()) }

  /// HMAC-SHA1 of `bytes` under `key` (RFC 2104): how known_hosts hides host names.
  static func hmacSHA1(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let done = HMAC(EVP_sha1(), key, Int32(key.count), bytes, bytes.count, &result, &length)
    precondition(done != nil, "HMAC-SHA1 failed")
    return Array(result.prefix(Int(length)))
  }

  private static func digest(_ bytes: [UInt8], by algorithm: OpaquePointer?) -> [UInt8] {
    var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var length: UInt32 = 0
    let done = EVP_Digest(bytes, bytes.count, &result, &length, algorithm, nil)
    precondition(done == 1, "a digest failed")
    return Array(result.prefix(Int(length)))
  }
}
