import COpenSSL

/// bcrypt_pbkdf, by which OpenSSH turns a passphrase into a cipher's key (bcrypt_pbkdf(3) of OpenBSD).
enum BcryptPBKDF {
  private static let blockLength = 32

  /// - Parameters:
  ///   - passphrase: not empty.
  ///   - salt: not empty.
  ///   - rounds: at least 1.
  static func derive(
    _ length: Int,
    from passphrase: [UInt8],
    salt: [UInt8],
    rounds: Int
  ) -> [UInt8] {
    let hashedPassphrase = Digest.sha512(passphrase)
    let blocks = (length + blockLength - 1) / blockLength
    var key = [UInt8](repeating: 0, count: blocks * blockLength)
    for block in 1...blocks {
      var counter = WireWriter()
      counter.uint32(UInt32(block))
      var step = hash(hashedPassphrase, salt: Digest.sha512(salt + counter.bytes))
      var sum = step
      for _ in 1..<rounds {
        step = hash(hashedPassphrase, salt: Digest.sha512(step))
        for index in sum.indices { sum[index] ^= step[index] }
      }
      // The blocks' bytes are interleaved, so that a shorter key is no prefix of a longer one.
      for index in sum.indices { key[index * blocks + block - 1] = sum[index] }
    }
    return Array(key.prefix(length))
  }
}

extension BcryptPBKDF {
  private static func hash(_ passphrase: [UInt8], salt: [UInt8]) -> [UInt8] {
    var state = BlowfishConstants.state
    duplex_openssl_bcrypt_expand(&state, salt, salt.count, passphrase, passphrase.count)
    for _ in 0..<64 {
      duplex_openssl_bcrypt_expand(&state, nil, 0, salt, salt.count)
      duplex_openssl_bcrypt_expand(&state, nil, 0, passphrase, passphrase.count)
    }

    let text = Array("OxychromaticBlowfishSwatDynamite".utf8)
    var words = stride(from: 0, to: text.count, by: 4).map { start in
      text[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
    for block in stride(from: 0, to: words.count, by: 2) {
      words.withUnsafeMutableBufferPointer { words in
        for _ in 0..<64 { BF_encrypt(words.baseAddress! + block, &state) }
      }
    }
    // Little-endian, alone among all that SSH writes.
    return words.flatMap { word in [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: word >> $0) } }
  }
}

/// Blowfish's state before any key: the first digits of pi after the point, in P and then in S.
/// OpenSSL has them but gives them out mixed with a key only, so they are computed, once.
private enum BlowfishConstants {
  static let state: BF_KEY = {
    let digits = digitsOfPi(words: 18 + 4 * 256)
    var state = BF_KEY()
    withUnsafeMutableBytes(of: &state.P) { $0.copyBytes(from: bytes(of: digits.prefix(18))) }
    withUnsafeMutableBytes(of: &state.S) { $0.copyBytes(from: bytes(of: digits.dropFirst(18))) }
    return state
  }()

  private static func bytes(of words: ArraySlice<UInt32>) -> [UInt8] {
    words.flatMap { word in withUnsafeBytes(of: word, Array.init) }
  }

  /// Machin: pi = 16 arctan(1/5) - 4 arctan(1/239), in fixed point with some bits to spare.
  private static func digitsOfPi(words: Int) -> [UInt32] {
    let bits = Int32(words * 32)
    let spare: Int32 = 64
    let sum = BN_new()
    let other = BN_new()
    defer {
      BN_free(sum)
      BN_free(other)
    }
    arctangent(ofOneOver: 5, times: 16, bits: bits + spare, into: sum)
    arctangent(ofOneOver: 239, times: 4, bits: bits + spare, into: other)
    BN_sub(sum, sum, other)
    BN_rshift(sum, sum, spare)
    BN_mask_bits(sum, bits)
    var bytes = [UInt8](repeating: 0, count: words * 4)
    BN_bn2binpad(sum, &bytes, Int32(bytes.count))
    return stride(from: 0, to: bytes.count, by: 4).map { start in
      bytes[start..<(start + 4)].reduce(0) { $0 << 8 | UInt32($1) }
    }
  }

  private static func arctangent(
    ofOneOver divisor: UInt,
    times factor: UInt,
    bits: Int32,
    into sum: OpaquePointer?
  ) {
    let power = BN_new()
    let term = BN_new()
    defer {
      BN_free(power)
      BN_free(term)
    }
    BN_set_word(power, factor)
    BN_lshift(power, power, bits)
    BN_div_word(power, divisor)
    BN_set_word(sum, 0)
    var odd: UInt = 1
    var isPositive = true
    while BN_num_bits(power) > 0 {
      BN_copy(term, power)
      BN_div_word(term, odd)
      if isPositive { BN_add(sum, sum, term) } else { BN_sub(sum, sum, term) }
      BN_div_word(power, divisor * divisor)
      odd += 2
      isPositive.toggle()
    }
  }
}
