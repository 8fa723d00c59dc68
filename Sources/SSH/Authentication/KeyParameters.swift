import COpenSSL

/// Collects a key's numbers for OpenSSL (OSSL_PARAM_BLD(3)).
final class KeyParameters {
  private let builder = OSSL_PARAM_BLD_new()
  private var kept: [() -> Void] = []

  func text(_ name: String, _ value: String) {
    keepingCopy(of: Array(value.utf8)) { copy in
      OSSL_PARAM_BLD_push_utf8_string(
        builder,
        literal(name),
        copy.baseAddress?.assumingMemoryBound(to: CChar.self),
        copy.count
      )
    }
  }

  func bytes(_ name: String, _ value: [UInt8]) {
    keepingCopy(of: value) { copy in
      OSSL_PARAM_BLD_push_octet_string(builder, literal(name), copy.baseAddress, copy.count)
    }
  }

  func integer(_ name: String, _ magnitude: [UInt8]) {
    let number = BN_bin2bn(magnitude, Int32(magnitude.count), nil)
    kept.append { BN_clear_free(number) }
    let pushed = OSSL_PARAM_BLD_push_BN(builder, literal(name), number)
    precondition(pushed == 1, "OpenSSL takes no \(name)")
  }

  /// The key, or nil where the numbers do not make one.
  func key(of algorithm: String) -> OpaquePointer? {
    let parameters = OSSL_PARAM_BLD_to_param(builder)
    let context = EVP_PKEY_CTX_new_from_name(nil, algorithm, nil)
    defer {
      EVP_PKEY_CTX_free(context)
      OSSL_PARAM_free(parameters)
      ERR_clear_error()
    }
    var key: OpaquePointer?
    guard EVP_PKEY_fromdata_init(context) == 1,
      EVP_PKEY_fromdata(context, &key, duplex_openssl_keypair_selection(), parameters) == 1
    else { return nil }
    return key
  }

  deinit {
    OSSL_PARAM_BLD_free(builder)
    for free in kept { free() }
  }
}

extension KeyParameters {
  /// OpenSSL keeps the pointers to name and value until the key is made.
  private func keepingCopy(
    of bytes: [UInt8],
    _ push: (UnsafeMutableRawBufferPointer) -> Int32
  ) {
    let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count + 1, alignment: 1)
    copy.copyBytes(from: bytes + [0])
    kept.append { copy.deallocate() }
    let pushed = push(UnsafeMutableRawBufferPointer(rebasing: copy[..<bytes.count]))
    precondition(pushed == 1, "OpenSSL takes no more parameters")
  }

  private func literal(_ name: String) -> UnsafePointer<CChar> {
    let copy = UnsafeMutablePointer<CChar>.allocate(capacity: name.utf8.count + 1)
    for (index, byte) in (Array(name.utf8) + [0]).enumerated() {
      (copy + index).initialize(to: CChar(bitPattern: byte))
    }
    kept.append { copy.deallocate() }
    return UnsafePointer(copy)
  }
}
