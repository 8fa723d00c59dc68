import Logging
import Remote
import SystemPackage

extension SSHConnection {
  /// Logs in with the first key that the server takes: the agent's, then the files'.
  ///
  /// The agent's copies of the configured key files go before its other keys, since a server hangs
  /// up after a few wrong ones (sshd's MaxAuthTries, 6).
  ///
  /// - Parameter deadline: put off by the time a person takes to answer.
  func authenticate(
    asking passphrase: PassphraseSource,
    by deadline: inout Deadline
  ) async throws(RemoteError) {
    var attempts = Attempts()
    let files = keyFiles(&attempts)
    for signer in agentKeys(before: files, by: deadline, &attempts) {
      if try offer(signer, named: "agent", by: deadline, &attempts) { return }
    }
    for file in files {
      guard let signer = try await unlock(file, asking: passphrase, by: &deadline, &attempts)
      else { continue }
      if try offer(signer, named: file.path.string, by: deadline, &attempts) { return }
    }
    throw refusal(attempts, by: deadline)
  }
}

/// What has been tried so far, in words, and which keys the server has refused.
private struct Attempts {
  var words: [String] = []
  var refused: Set<PublicKey> = []
}

/// A key file that could be read.
private struct ReadKeyFile {
  var path: FilePath
  var content: PrivateKeyFile
}

/// Offers a key without having it: the server says whether it would take it.
private struct Probe: Signer {
  var publicKey: PublicKey
  func sign(_ data: [UInt8]) throws(SigningFailure) -> [UInt8] {
    throw SigningFailure(words: "not unlocked yet")
  }
}

extension SSHConnection {
  private func keyFiles(_ attempts: inout Attempts) -> [ReadKeyFile] {
    var files: [ReadKeyFile] = []
    for path in destination.keyFiles {
      do {
        guard let content = try SmallFile.content(of: path) else {
          attempts.words.append("\(path): no such file")
          continue
        }
        files.append(ReadKeyFile(path: path, content: try PrivateKeyFile(content)))
      } catch let error as UnreadableFile {
        attempts.words.append("\(path): \(error.reason)")
      } catch {
        attempts.words.append("\(path): \(error)")
      }
    }
    return files
  }

  private func agentKeys(
    before files: [ReadKeyFile],
    by deadline: Deadline,
    _ attempts: inout Attempts
  ) -> [AgentKey] {
    guard let socket = destination.agentSocket else { return [] }
    do throws(AgentFailure) {
      let keys = try Agent(socket: socket, interruption: interruption).keys(by: deadline)
      let wanted = Set(files.compactMap(\.content.publicKey))
      return keys.filter { wanted.contains($0.publicKey) }
        + keys.filter { !wanted.contains($0.publicKey) }
    } catch {
      attempts.words.append("agent at \(socket): \(error.words)")
      return []
    }
  }

  /// The file's key, its passphrase asked for if it has one and the server would take the key.
  private func unlock(
    _ file: ReadKeyFile,
    asking passphrase: PassphraseSource,
    by deadline: inout Deadline,
    _ attempts: inout Attempts
  ) async throws(RemoteError) -> OpenSSLKey? {
    if let key = file.content.publicKey {
      // The agent had it already.
      guard !attempts.refused.contains(key) else { return nil }
      if file.content.isEncrypted {
        guard try wouldTake(key, named: file.path.string, by: deadline, &attempts) else {
          return nil
        }
      }
    }
    var answer: Secret? = Secret([])
    var attempt = 0
    while let secret = answer {
      do throws(KeyFileProblem) {
        return try file.content.unlock(with: secret.withExposedBytes(\.self))
      } catch {
        guard error == .wrongPassphrase, attempt < 3 else {
          attempts.words.append("\(file.path): \(error)")
          return nil
        }
      }
      attempt += 1
      let asked = ContinuousClock.now
      answer = await passphrase(KeyFile(path: file.path, attempt: attempt))
      deadline = deadline.extended(by: asked.duration(to: .now))
    }
    attempts.words.append("\(file.path): encrypted, and no passphrase given")
    return nil
  }

  private func wouldTake(
    _ key: PublicKey,
    named name: String,
    by deadline: Deadline,
    _ attempts: inout Attempts
  ) throws(RemoteError) -> Bool {
    !(try offer(Probe(publicKey: key), named: name, by: deadline, &attempts))
      && !attempts.refused.contains(key)
  }

  /// Whether the key let us in.
  private func offer(
    _ signer: any Signer,
    named name: String,
    by deadline: Deadline,
    _ attempts: inout Attempts
  ) throws(RemoteError) -> Bool {
    let key = "\(name): \(signer.publicKey.type) \(signer.publicKey.fingerprint)"
    let verdict: Session.KeyVerdict
    do throws(RemoteError) {
      guard session != nil else {
        throw RemoteError(.closed, detail: "the connection was closed before")
      }
      verdict = try session!.authenticate(as: destination.user, with: signer, by: deadline)
    } catch {
      // A server that has seen enough wrong keys hangs up.
      guard error.code == .connectionLost, !attempts.refused.isEmpty else { throw error }
      attempts.words.append("\(key), upon which the server hung up")
      throw refusal(attempts, methods: nil)
    }
    switch verdict {
    case .accepted:
      logger.debug("logged in", metadata: ["key": "\(key)"])
      return true
    case .refused:
      attempts.words.append("\(key), refused")
      attempts.refused.insert(signer.publicKey)
    case .unsigned(let failure) where !(signer is Probe):
      attempts.words.append("\(key), welcome, but \(failure.words)")
    case .unsigned: break
    }
    return false
  }

  private func refusal(_ attempts: Attempts, by deadline: Deadline) -> RemoteError {
    guard session != nil else { return refusal(attempts, methods: nil) }
    let methods = session!.acceptedMethods(for: destination.user, by: deadline)
    return refusal(attempts, methods: methods)
  }

  private func refusal(_ attempts: Attempts, methods: String?) -> RemoteError {
    let tried =
      attempts.words.isEmpty
      ? "there was no key to try" : "tried \(attempts.words.joined(separator: "; "))"
    let accepts = methods.map { "; the server accepts \($0)" } ?? ""
    return RemoteError(
      .authenticationFailed,
      detail: "as \(destination.user): \(tried)\(accepts)"
    )
  }
}
