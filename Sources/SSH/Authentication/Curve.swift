import COpenSSL

/// The curves of RFC 5656 section 10.1, by SSH's names.
enum Curve: String, Hashable {
  case nistp256, nistp384, nistp521

  /// OpenSSL's name.
  var group: String {
    switch self {
    case .nistp256: "prime256v1"
    case .nistp384: "secp384r1"
    case .nistp521: "secp521r1"
    }
  }

  var keyType: String { "ecdsa-sha2-\(rawValue)" }

  var digest: OpaquePointer? {
    switch self {
    case .nistp256: EVP_sha256()
    case .nistp384: EVP_sha384()
    case .nistp521: EVP_sha512()
    }
  }

  init?(group: String) {
    guard let curve = [Curve.nistp256, .nistp384, .nistp521].first(where: { $0.group == group })
    else { return nil }
    self = curve
  }
}
