import Glibc

/// Small text files, without Foundation.
enum TextFile {
  /// More is no configuration.
  private static let limit = 1 << 20

  /// Of a regular file alone: nobody may have to wait for who writes into a pipe.
  static func read(_ path: String) -> Result<String, Flags.Problem> {
    func failure(_ reason: String) -> Result<String, Flags.Problem> {
      .failure(Flags.Problem(place: path, text: "cannot read \(path): \(reason)"))
    }
    // Without waiting, too, a pipe can only be told from a file once it is open.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { return failure(String(errno: errno)) }
    guard let file = fdopen(descriptor, "r") else {
      close(descriptor)
      return failure("no memory")
    }
    defer { fclose(file) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      return failure("no regular file (a pipe, as of <(…), is none)")
    }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0, count <= limit,
      let text = String(validating: bytes[..<count], as: UTF8.self)
    else { return failure("no text file of up to 1 MiB") }
    return .success(text)
  }
}
