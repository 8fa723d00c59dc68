import CLibSSH2
import Remote

/// What one call of a non-blocking libssh2 function came to. The middle case cannot be forgotten.
enum Progress<Value> {
  case complete(Value)
  case wouldBlock
  case failed(LibraryFailure)
}

/// A libssh2 error: its code (`LIBSSH2_ERROR_…` in libssh2.h) and its words.
struct LibraryFailure: Error, Hashable {
  var code: Int32
  var text: String

  /// The last error of `session`, which must be the one that `code` came from.
  init(code: Int32, session: OpaquePointer) {
    var message: UnsafeMutablePointer<CChar>?
    var length: Int32 = 0
    libssh2_session_last_error(session, &message, &length, 0)
    self.code = code
    if let message, length > 0 {
      let bytes = UnsafeRawBufferPointer(start: message, count: Int(length))
      text = String(decoding: bytes, as: UTF8.self)
    } else {
      text = "no reason given"
    }
  }

  /// The server refused a key, or its signature. The session goes on.
  var isRefusedKey: Bool {
    code == LIBSSH2_ERROR_AUTHENTICATION_FAILED || code == LIBSSH2_ERROR_PUBLICKEY_UNVERIFIED
  }

  /// What this means to whoever speaks to the machine.
  var remoteError: RemoteError {
    let code: RemoteError.Code =
      switch self.code {
      case LIBSSH2_ERROR_KEX_FAILURE: .noCommonAlgorithm
      case LIBSSH2_ERROR_AUTHENTICATION_FAILED: .authenticationFailed
      case LIBSSH2_ERROR_TIMEOUT: .timedOut
      default: .connectionLost
      }
    let isMute = self.code == LIBSSH2_ERROR_SOCKET_RECV || self.code == LIBSSH2_ERROR_SOCKET_SEND
    let words = isMute ? "the connection broke off" : text
    return RemoteError(code, detail: "\(words) (libssh2 \(self.code))")
  }
}

extension Progress where Value == Void {
  /// Folds a result that is 0, "try again" or an error.
  init(_ result: Int32, of session: OpaquePointer) {
    switch result {
    case 0: self = .complete(())
    case LIBSSH2_ERROR_EAGAIN: self = .wouldBlock
    default: self = .failed(LibraryFailure(code: result, session: session))
    }
  }
}

extension Progress where Value == Int {
  /// Folds a byte count, "try again" or an error.
  init(count result: Int, of session: OpaquePointer) {
    switch result {
    case 0...: self = .complete(result)
    case Int(LIBSSH2_ERROR_EAGAIN): self = .wouldBlock
    default: self = .failed(LibraryFailure(code: Int32(result), session: session))
    }
  }
}
