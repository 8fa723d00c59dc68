/// Why a key file gave no key.
enum KeyFileProblem: Error, Hashable {
  /// Neither PEM nor OpenSSH's format.
  case notAPrivateKey
  case damaged
  case wrongPassphrase
  /// What it is, in words.
  case unsupported(String)
}

extension KeyFileProblem: CustomStringConvertible {
  var description: String {
    switch self {
    case .notAPrivateKey: "not a private key"
    case .damaged: "damaged"
    case .wrongPassphrase: "wrong passphrase"
    case .unsupported(let what): what
    }
  }
}
