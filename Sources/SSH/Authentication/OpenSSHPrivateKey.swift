import COpenSSL

/// A key in the format "openssh-key-v1" (PROTOCOL.key in OpenSSH's sources). OpenSSL 3.0 does not
/// read it.
struct OpenSSHPrivateKey {
  let publicKey: PublicKey
  private let cipher: String
  private let derivation: String
  private let derivationOptions: [UInt8]
  private let sealed: [UInt8]

  var isEncrypted: Bool { cipher != "none" }

  /// Reads the decoded base64.
  init(_ bytes: [UInt8]) throws(KeyFileProblem) {
    var reader = WireReader(bytes)
    do throws(WireReader.Truncated) {
      guard try reader.take(15) == Array("openssh-key-v1\0".utf8) else {
        throw WireReader.Truncated()
      }
      cipher = try reader.text()
      derivation = try reader.text()
      derivationOptions = try reader.string()
      guard try reader.uint32() == 1 else { throw WireReader.Truncated() }
      publicKey = PublicKey(blob: try reader.string())
      sealed = try reader.string()
      // An authenticated cipher's tag would follow.
    } catch {
      throw .damaged
    }
  }

  func unlock(with passphrase: [UInt8]) throws(KeyFileProblem) -> OpenSSLKey {
    var reader = WireReader(isEncrypted ? try decrypt(with: passphrase) : sealed)
    let material: KeyMaterial
    do throws(WireReader.Truncated) {
      // The same random number twice, to tell whether the passphrase was right.
      guard try reader.uint32() == reader.uint32() else { throw WireReader.Truncated() }
      material = try KeyMaterial(from: &reader)
    } catch {
      throw isEncrypted ? .wrongPassphrase : .damaged
    }
    let key = try material.key()
    guard key.publicKey == publicKey else { throw .damaged }
    return key
  }
}

extension OpenSSHPrivateKey {
  private func decrypt(with passphrase: [UInt8]) throws(KeyFileProblem) -> [UInt8] {
    guard let algorithm = Self.algorithm(named: cipher), derivation == "bcrypt" else {
      throw .unsupported(
        "encrypted with \(cipher), which is not supported; `ssh-keygen -p -Z aes256-ctr -f FILE`"
          + " changes that, or add the key to ssh-agent"
      )
    }
    // An empty passphrase never encrypted anything, and bcrypt has no use for one.
    guard !passphrase.isEmpty else { throw .wrongPassphrase }
    let keyLength = Int(EVP_CIPHER_get_key_length(algorithm))
    let vectorLength = Int(EVP_CIPHER_get_iv_length(algorithm))

    var options = WireReader(derivationOptions)
    let salt: [UInt8]
    let rounds: Int
    do throws(WireReader.Truncated) {
      salt = try options.string()
      rounds = Int(try options.uint32())
    } catch {
      throw .damaged
    }
    guard (1...4096).contains(rounds), (1...1024).contains(salt.count) else { throw .damaged }
    let derived = BcryptPBKDF.derive(
      keyLength + vectorLength,
      from: passphrase,
      salt: salt,
      rounds: rounds
    )
    return try open(
      with: algorithm,
      key: Array(derived.prefix(keyLength)),
      vector: Array(derived.dropFirst(keyLength))
    )
  }

  private static func algorithm(named name: String) -> OpaquePointer? {
    switch name {
    case "aes256-ctr": EVP_aes_256_ctr()
    case "aes192-ctr": EVP_aes_192_ctr()
    case "aes128-ctr": EVP_aes_128_ctr()
    case "aes256-cbc": EVP_aes_256_cbc()
    case "aes192-cbc": EVP_aes_192_cbc()
    case "aes128-cbc": EVP_aes_128_cbc()
    default: nil
    }
  }

  private func open(
    with algorithm: OpaquePointer,
    key: [UInt8],
    vector: [UInt8]
  ) throws(KeyFileProblem) -> [UInt8] {
    let context = EVP_CIPHER_CTX_new()
    defer { EVP_CIPHER_CTX_free(context) }
    var opened = [UInt8](repeating: 0, count: sealed.count + 32)
    var length: Int32 = 0
    guard EVP_DecryptInit_ex(context, algorithm, nil, key, vector) == 1,
      EVP_CIPHER_CTX_set_padding(context, 0) == 1,
      EVP_DecryptUpdate(context, &opened, &length, sealed, Int32(sealed.count)) == 1,
      Int(length) == sealed.count
    else { throw .damaged }
    return Array(opened.prefix(Int(length)))
  }
}
