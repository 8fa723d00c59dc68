import COpenSSL

/// A private key in OpenSSL's hands: signs, and knows its public half.
final class OpenSSLKey: Signer {
  let publicKey: PublicKey
  private let key: OpaquePointer
  private let kind: Kind

  /// The kinds of key that SSH has a use for.
  enum Kind: Hashable {
    case ed25519
    case ecdsa(Curve)
    case rsa
  }

  /// Takes over `key`, and frees it even if it is refused.
  init(owning key: OpaquePointer) throws(KeyFileProblem) {
    do throws(KeyFileProblem) {
      kind = try Self.kind(of: key)
      publicKey = Self.publicKey(of: key, kind: kind)
    } catch {
      EVP_PKEY_free(key)
      throw error
    }
    self.key = key
  }

  /// Signs as RFC 8709 (Ed25519), RFC 5656 section 3.1.2 (ECDSA) and RFC 8332 (RSA, always with
  /// SHA-512) say.
  func sign(_ data: [UInt8]) throws(SigningFailure) -> [UInt8] {
    switch kind {
    case .ed25519: return try rawSignature(of: data, digest: nil)
    case .rsa: return try rawSignature(of: data, digest: EVP_sha512())
    case .ecdsa(let curve):
      return Self.pairOfIntegers(in: try rawSignature(of: data, digest: curve.digest))
    }
  }

  deinit { EVP_PKEY_free(key) }
}

extension OpenSSLKey {
  private static func kind(of key: OpaquePointer) throws(KeyFileProblem) -> Kind {
    switch EVP_PKEY_get_base_id(key) {
    case EVP_PKEY_ED25519: return .ed25519
    case EVP_PKEY_RSA: return .rsa
    case EVP_PKEY_EC:
      var name = [CChar](repeating: 0, count: 80)
      var length = 0
      let found = EVP_PKEY_get_utf8_string_param(
        key,
        OSSL_PKEY_PARAM_GROUP_NAME,
        &name,
        name.count,
        &length
      )
      let group = String(
        decoding: name.prefix(length).map(UInt8.init(bitPattern:)),
        as: UTF8.self
      )
      guard found == 1, let curve = Curve(group: group) else {
        throw .unsupported("an ECDSA key on a curve that SSH does not use")
      }
      return .ecdsa(curve)
    default: throw .unsupported("neither Ed25519 nor ECDSA nor RSA")
    }
  }

  private static func publicKey(of key: OpaquePointer, kind: Kind) -> PublicKey {
    var writer = WireWriter()
    switch kind {
    case .ed25519:
      var length = 32
      var raw = [UInt8](repeating: 0, count: length)
      let done = EVP_PKEY_get_raw_public_key(key, &raw, &length)
      precondition(done == 1 && length == 32, "an Ed25519 key without its public half")
      writer.string("ssh-ed25519".utf8)
      writer.string(raw)
    case .ecdsa(let curve):
      var length = 0
      var point = [UInt8](repeating: 0, count: 200)
      let done = EVP_PKEY_get_octet_string_param(
        key,
        OSSL_PKEY_PARAM_PUB_KEY,
        &point,
        point.count,
        &length
      )
      precondition(done == 1, "an ECDSA key without its public half")
      writer.string(curve.keyType.utf8)
      writer.string(curve.rawValue.utf8)
      writer.string(point.prefix(length))
    case .rsa:
      writer.string("ssh-rsa".utf8)
      writer.positiveInteger(integer(OSSL_PKEY_PARAM_RSA_E, of: key))
      writer.positiveInteger(integer(OSSL_PKEY_PARAM_RSA_N, of: key))
    }
    return PublicKey(blob: writer.bytes)
  }

  private static func integer(_ name: String, of key: OpaquePointer) -> [UInt8] {
    var number: OpaquePointer?
    let found = EVP_PKEY_get_bn_param(key, name, &number)
    precondition(found == 1, "an RSA key without \(name)")
    defer { BN_free(number) }
    return bytes(of: number)
  }

  private static func bytes(of number: OpaquePointer?) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: Int(BN_num_bits(number) + 7) / 8)
    BN_bn2bin(number, &bytes)
    return bytes
  }

  private func rawSignature(
    of data: [UInt8],
    digest: OpaquePointer?
  ) throws(SigningFailure) -> [UInt8] {
    let context = EVP_MD_CTX_new()
    defer { EVP_MD_CTX_free(context) }
    var length = 0
    guard EVP_DigestSignInit(context, nil, digest, nil, key) == 1,
      EVP_DigestSign(context, nil, &length, data, data.count) == 1
    else { throw SigningFailure(words: "OpenSSL cannot sign with this key") }
    var signature = [UInt8](repeating: 0, count: length)
    guard EVP_DigestSign(context, &signature, &length, data, data.count) == 1 else {
      throw SigningFailure(words: "OpenSSL could not sign with this key")
    }
    return Array(signature.prefix(length))
  }

  /// The two numbers of an ECDSA signature, out of OpenSSL's DER into SSH's mpints.
  private static func pairOfIntegers(in der: [UInt8]) -> [UInt8] {
    let signature = der.withUnsafeBufferPointer { der in
      var start = der.baseAddress
      return d2i_ECDSA_SIG(nil, &start, der.count)
    }
    precondition(signature != nil, "OpenSSL cannot read its own ECDSA signature")
    defer { ECDSA_SIG_free(signature) }
    var writer = WireWriter()
    writer.positiveInteger(bytes(of: ECDSA_SIG_get0_r(signature)))
    writer.positiveInteger(bytes(of: ECDSA_SIG_get0_s(signature)))
    return writer.bytes
  }
}
