/// A user's public key, as it travels (RFC 4253 section 6.6).
struct PublicKey: Hashable {
  let blob: [UInt8]

  var type: String { HostKey(blob: blob).type }
  var fingerprint: String { HostKey(blob: blob).fingerprint }

  /// The key under the name of the algorithm that signs with it. An RSA key is called "ssh-rsa" but
  /// has to sign as "rsa-sha2-512" (RFC 8332 section 3); libssh2 1.10 takes the algorithm from the
  /// blob, so there it is written.
  var blobNamingSignatureAlgorithm: [UInt8] {
    guard type == "ssh-rsa" else { return blob }
    var writer = WireWriter()
    writer.string("rsa-sha2-512".utf8)
    return writer.bytes + blob.dropFirst(4 + "ssh-rsa".utf8.count)
  }
}

/// Signs a login with one key. The signature is what RFC 4253 section 6.6 puts after the name of the
/// algorithm.
protocol Signer {
  var publicKey: PublicKey { get }
  func sign(_ data: [UInt8]) throws(SigningFailure) -> [UInt8]
}

/// Why a key would not sign, in words.
struct SigningFailure: Error, Hashable {
  var words: String
}
