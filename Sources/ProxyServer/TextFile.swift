import Glibc

/// Small text files, without Foundation.
enum TextFile {
  /// More is no configuration.
  private static let limit = 1 << 20

  static func read(_ path: String) -> Result<String, Flags.Problem> {
    guard let file = fopen(path, "re") else {
      let reason = String(cString: strerror(errno))
      return .failure(Flags.Problem(place: path, text: "cannot read \(path): \(reason)"))
    }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: limit + 1)
    let count = fread(&bytes, 1, bytes.count, file)
    guard ferror(file) == 0, count <= limit,
      let text = String(validating: bytes[..<count], as: UTF8.self)
    else {
      return .failure(
        Flags.Problem(place: path, text: "cannot read \(path): no text file of up to 1 MiB")
      )
    }
    return .success(text)
  }
}
