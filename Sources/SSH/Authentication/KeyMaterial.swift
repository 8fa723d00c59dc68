import COpenSSL

/// The numbers of a private key, as "openssh-key-v1" lists them.
enum KeyMaterial {
  case ed25519(seed: [UInt8])
  case ecdsa(Curve, point: [UInt8], secret: [UInt8])
  case rsa(modulus: [UInt8], publicExponent: [UInt8], privateExponent: [UInt8])
  case other(type: String)

  init(from reader: inout WireReader) throws(WireReader.Truncated) {
    let type = try reader.text()
    switch type {
    case "ssh-ed25519":
      _ = try reader.string()
      let pair = try reader.string()
      guard pair.count == 64 else { throw WireReader.Truncated() }
      self = .ed25519(seed: Array(pair.prefix(32)))
    case "ssh-rsa":
      self = .rsa(
        modulus: try reader.string(),
        publicExponent: try reader.string(),
        privateExponent: try reader.string()
      )
    case let type where type.hasPrefix("ecdsa-sha2-"):
      guard let curve = Curve(rawValue: try reader.text()) else {
        self = .other(type: type)
        return
      }
      self = .ecdsa(curve, point: try reader.string(), secret: try reader.string())
    default: self = .other(type: type)
    }
  }

  /// The key in OpenSSL's form.
  func key() throws(KeyFileProblem) -> OpenSSLKey {
    switch self {
    case .ed25519(let seed):
      guard let key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
        throw .damaged
      }
      return try OpenSSLKey(owning: key)
    case .ecdsa(let curve, let point, let secret):
      return try Self.build("EC") { parameters in
        parameters.text(OSSL_PKEY_PARAM_GROUP_NAME, curve.group)
        parameters.bytes(OSSL_PKEY_PARAM_PUB_KEY, point)
        parameters.integer(OSSL_PKEY_PARAM_PRIV_KEY, secret)
      }
    case .rsa(let modulus, let publicExponent, let privateExponent):
      return try Self.build("RSA") { parameters in
        parameters.integer(OSSL_PKEY_PARAM_RSA_N, modulus)
        parameters.integer(OSSL_PKEY_PARAM_RSA_E, publicExponent)
        parameters.integer(OSSL_PKEY_PARAM_RSA_D, privateExponent)
      }
    case .other(let type):
      throw .unsupported("a key of type \(type), which is not supported")
    }
  }
}

extension KeyMaterial {
  private static func build(
    _ algorithm: String,
    _ describe: (KeyParameters) -> Void
  ) throws(KeyFileProblem) -> OpenSSLKey {
    let parameters = KeyParameters()
    describe(parameters)
    guard let key = parameters.key(of: algorithm) else { throw .damaged }
    return try OpenSSLKey(owning: key)
  }
}
