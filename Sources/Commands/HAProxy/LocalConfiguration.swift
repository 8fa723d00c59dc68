import ArgumentParser
import Foundation
import HAProxy
import SystemPackage

#if canImport(Glibc)
  import Glibc
#endif

/// A haproxy.cfg on this machine, edited as the ones on balancers are: one line changes, owner, mode
/// and a symlink to it stay, and what would not be valid is refused.
struct LocalConfiguration {
  /// As written on the command line.
  private let name: String
  /// The file itself, symlinks resolved.
  private let path: String
  let document: Configuration

  /// - Parameter path: as written on the command line; symlinks are followed.
  init(path: String) throws {
    guard let real = realpath(path, nil) else {
      throw Self.refusal("\(path): \(String(cString: strerror(errno)))")
    }
    defer { free(real) }
    var status = stat()
    guard stat(real, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Self.refusal("\(path) is no file")
    }
    name = path
    self.path = String(cString: real)
    do {
      document = Configuration(Array(try Data(contentsOf: URL(filePath: self.path))))
    } catch {
      throw Self.refusal("\(path): \(error.localizedDescription)")
    }
  }

  /// Makes the edit, or says why not and leaves the file as it is.
  func edit(
    as format: OutputFormat,
    _ make: (Configuration) throws(EditRefusal) -> LineEdit?
  ) throws {
    let edit: LineEdit?
    let changed: Configuration
    do throws(EditRefusal) {
      edit = try make(document)
      if let edit { changed = try document.applying(edit) } else { changed = document }
    } catch {
      let place = error.line.map { "\(name):\($0)" } ?? name
      throw Self.refusal("\(place): \(Sentences.edit(error)). The file was left as it is")
    }
    if edit != nil { try replace(with: changed.bytes) }
    try report(edit, changed, as: format)
  }

  /// - Parameter edit: nil where there was nothing to do.
  private func report(
    _ edit: LineEdit?,
    _ changed: Configuration,
    as format: OutputFormat
  ) throws {
    let diff = LineDiff(before: document.bytes, after: changed.bytes).text(path: name)
    switch format {
    case .json:
      let document = Edited(
        file: name,
        changed: edit != nil,
        line: edit?.line,
        before: edit.map { String(decoding: $0.before, as: UTF8.self) },
        after: edit.map { String(decoding: $0.after, as: UTF8.self) }
      )
      Stream.standardOutput.line(try JSON.text(document))
    case .text:
      guard let edit else { return Stream.standardError.line("\(name): it is so already") }
      Stream.standardOutput.line(diff.joined(separator: "\n"))
      Stream.standardError.line("\(name): line \(edit.line) changed. HAProxy was not told")
    }
  }

  private struct Edited: Encodable {
    var file: String
    var changed: Bool
    var line: Int?
    var before: String?
    var after: String?
  }

  private func replace(with bytes: [UInt8]) throws {
    let file = FilePath(path)
    let name = ".\(file.lastComponent?.string ?? "haproxy.cfg").duplexctl.\(getpid())"
    let candidate = file.removingLastComponent().appending(name).string
    var isDone = false
    defer { if !isDone { unlink(candidate) } }
    var status = stat()
    guard stat(path, &status) == 0 else { throw failure("look at", path) }
    let descriptor = open(candidate, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("write beside", path) }
    defer { close(descriptor) }
    try FileDescriptor(rawValue: descriptor).writeAll(bytes)
    guard fchmod(descriptor, status.st_mode & 0o7777) == 0,
      fchown(descriptor, status.st_uid, status.st_gid) == 0 || getuid() != 0,
      fsync(descriptor) == 0
    else { throw failure("write", candidate) }
    try validate(candidate)
    // Somebody may have edited it while haproxy looked at ours.
    guard try Array(Data(contentsOf: URL(filePath: path))) == document.bytes else {
      throw Self.refusal("\(name) was changed by somebody meanwhile: run again")
    }
    guard rename(candidate, path) == 0 else { throw failure("replace", path) }
    isDone = true
  }

  /// `haproxy -c`, where there is a haproxy.
  private func validate(_ candidate: String) throws {
    let places = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"]
    guard let haproxy = places.first(where: { access($0, X_OK) == 0 }) else {
      return Stream.standardError.line("note: no haproxy here, so the file was not checked by it")
    }
    let process = Process()
    process.executableURL = URL(filePath: haproxy)
    process.arguments = ["-c", "-f", candidate]
    let pipe = Pipe()
    process.standardError = pipe
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let said = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    // 2: valid, but without a listener, as a part of a configuration is.
    guard process.terminationReason == .exit, [0, 2].contains(process.terminationStatus) else {
      throw Self.refusal(
        "\(name): it would not be valid, and was left as it is. haproxy -c said: "
          + String(decoding: said, as: UTF8.self)
      )
    }
  }

  private func failure(_ attempt: String, _ path: String) -> ExitCode {
    Self.refusal("cannot \(attempt) \(path): \(String(cString: strerror(errno)))")
  }

  private static func refusal(_ text: String) -> ExitCode {
    Stream.standardError.line("error: \(text)")
    return ExitCode(1)
  }
}
