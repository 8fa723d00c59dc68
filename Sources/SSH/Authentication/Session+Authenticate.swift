import CLibSSH2
import Remote

#if canImport(Darwin)
  import Darwin
#else
  import Glibc
#endif

extension Session {
  /// What became of a key.
  enum KeyVerdict: Hashable {
    case accepted
    case refused
    /// The server would take the key, but it did not sign.
    case unsigned(SigningFailure)
  }

  /// Offers a key and, if the server would take it, signs with it.
  mutating func authenticate(
    as user: String,
    with signer: any Signer,
    by deadline: Deadline
  ) throws(RemoteError) -> KeyVerdict {
    let box = SigningBox(signer)
    let blob = signer.publicKey.blobNamingSignatureAlgorithm
    // libssh2 hands the callback the address of this pointer.
    var context: UnsafeMutableRawPointer? = Unmanaged.passUnretained(box).toOpaque()
    let result: Result<Void, LibraryFailure> = try withExtendedLifetime(box) {
      () throws(RemoteError) in
      try self.result(by: deadline) { raw in
        Progress(
          libssh2_userauth_publickey(raw, user, blob, blob.count, signForLibrary, &context),
          of: raw
        )
      }
    }
    if let failure = box.failure { return .unsigned(failure) }
    switch result {
    case .success: return .accepted
    case .failure(let failure) where failure.isRefusedKey: return .refused
    case .failure(let failure): throw failure.remoteError
    }
  }

  /// The methods by which the server lets this user in, as it names them.
  mutating func acceptedMethods(for user: String, by deadline: Deadline) -> String? {
    do throws(RemoteError) {
      return try complete(by: deadline) { raw in
        if let list = libssh2_userauth_list(raw, user, UInt32(user.utf8.count)) {
          return .complete(String(cString: list))
        }
        let code = libssh2_session_last_errno(raw)
        guard code != LIBSSH2_ERROR_EAGAIN else { return .wouldBlock }
        return .failed(LibraryFailure(code: code, session: raw))
      }
    } catch {
      return nil
    }
  }
}

/// Carries a signer through libssh2 to its callback, and a failure back.
private final class SigningBox {
  let signer: any Signer
  var failure: SigningFailure?

  init(_ signer: any Signer) { self.signer = signer }
}

private func signForLibrary(
  _ session: OpaquePointer?,
  _ signature: UnsafeMutablePointer<UnsafeMutablePointer<UInt8>?>?,
  _ signatureLength: UnsafeMutablePointer<Int>?,
  _ data: UnsafePointer<UInt8>?,
  _ length: Int,
  _ abstract: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> Int32 {
  guard let signature, let signatureLength, let context = abstract?.pointee else { return -1 }
  let box = Unmanaged<SigningBox>.fromOpaque(context).takeUnretainedValue()
  do throws(SigningFailure) {
    let bytes = try box.signer.sign(Array(UnsafeBufferPointer(start: data, count: length)))
    // libssh2 frees it, with the allocator that it was set up with: the standard one.
    guard let copy = malloc(bytes.count)?.assumingMemoryBound(to: UInt8.self) else { return -1 }
    copy.update(from: bytes, count: bytes.count)
    signature.pointee = copy
    signatureLength.pointee = bytes.count
    return 0
  } catch {
    box.failure = error
    return -1
  }
}
