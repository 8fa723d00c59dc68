/// A machine's public key, as it travels and as known_hosts holds it (RFC 4253 section 6.6).
struct HostKey: Hashable {
  let blob: [UInt8]

  /// The name of the key's type: "ssh-ed25519". Empty where the blob is too short to name one.
  var type: String {
    var reader = WireReader(blob)
    do throws(WireReader.Truncated) {
      return try reader.text()
    } catch {
      // Ignored: a blob without a type equals no known key, and that is all that is asked of it.
      return ""
    }
  }

  /// As `ssh-keygen -l` prints it: "SHA256:" and unpadded base64.
  var fingerprint: String { "SHA256:" + Base64.encodeUnpadded(Digest.sha256(blob)) }
}
