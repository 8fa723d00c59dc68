import COpenSSL

/// The content of a private key file, not yet decrypted: OpenSSH's own format, or any PEM that
/// OpenSSL reads (PKCS#1, SEC1, PKCS#8).
enum PrivateKeyFile {
  case openSSH(OpenSSHPrivateKey)
  case pem([UInt8])

  init(_ content: [UInt8]) throws(KeyFileProblem) {
    let lines = content.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }
    guard let start = lines.firstIndex(where: { $0.starts(with: "-----BEGIN ".utf8) }) else {
      throw .notAPrivateKey
    }
    guard lines[start].starts(with: "-----BEGIN OPENSSH PRIVATE KEY-----".utf8) else {
      self = .pem(content)
      return
    }
    let body = lines[(start + 1)...].prefix { !$0.starts(with: "-----END".utf8) }
    guard let bytes = Base64.decode(Array(body.joined())) else { throw .damaged }
    self = .openSSH(try OpenSSHPrivateKey(bytes))
  }

  var isEncrypted: Bool {
    switch self {
    case .openSSH(let key): key.isEncrypted
    case .pem(let content): Self.namesEncryption(content)
    }
  }

  /// The public half, where it can be read without a passphrase.
  var publicKey: PublicKey? {
    switch self {
    case .openSSH(let key): key.publicKey
    case .pem: nil
    }
  }

  /// Decrypts the key. Without a passphrase, an encrypted one is refused as by a wrong one.
  func unlock(with passphrase: [UInt8]) throws(KeyFileProblem) -> OpenSSLKey {
    switch self {
    case .openSSH(let key): return try key.unlock(with: passphrase)
    case .pem(let content): return try Self.readPEM(content, passphrase: passphrase)
    }
  }
}

extension PrivateKeyFile {
  /// "Proc-Type: 4,ENCRYPTED" (RFC 1421) or "BEGIN ENCRYPTED PRIVATE KEY" (RFC 7468).
  private static func namesEncryption(_ content: [UInt8]) -> Bool {
    content.split { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }.contains { line in
      line.starts(with: "Proc-Type: 4,ENCRYPTED".utf8)
        || line.starts(with: "-----BEGIN ENCRYPTED PRIVATE KEY".utf8)
    }
  }

  private static func readPEM(
    _ content: [UInt8],
    passphrase: [UInt8]
  ) throws(KeyFileProblem) -> OpenSSLKey {
    // OpenSSL takes a C string here; and without one it would ask on the terminal itself.
    var phrase = passphrase + [0]
    let key = content.withUnsafeBytes { bytes in
      let source = BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count))
      defer { BIO_free(source) }
      return phrase.withUnsafeMutableBytes { phrase in
        PEM_read_bio_PrivateKey(source, nil, nil, phrase.baseAddress)
      }
    }
    ERR_clear_error()
    guard let key else { throw namesEncryption(content) ? .wrongPassphrase : .damaged }
    return try OpenSSLKey(owning: key)
  }
}
