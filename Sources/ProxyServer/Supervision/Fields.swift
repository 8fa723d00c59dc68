import CLinux
import Glibc

/// Texts and numbers one after another, each ended by a zero byte: what a supervisor hands to its worker and to the
/// executable that takes over from it. A text with a zero byte in it is none of a configuration, and ends there.
struct Fields {
  struct Malformed: Error {}

  private(set) var bytes: [UInt8] = []

  mutating func append(_ text: String) {
    bytes += text.utf8.prefix { $0 != 0 }
    bytes.append(0)
  }

  mutating func append(_ number: some BinaryInteger) { append(String(number)) }

  struct Reader {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    mutating func text() throws(Malformed) -> String {
      guard let end = rest.firstIndex(of: 0) else { throw Malformed() }
      defer { rest = rest[(end + 1)...] }
      return String(decoding: rest[..<end], as: UTF8.self)
    }

    mutating func number<Number: FixedWidthInteger>() throws(Malformed) -> Number {
      guard let number = Number(try text()) else { throw Malformed() }
      return number
    }

    /// As many elements as the number before them says.
    mutating func list<Element>(
      _ element: (inout Reader) throws(Malformed) -> Element
    ) throws(Malformed) -> [Element] {
      let count: Int = try number()
      guard count >= 0, count <= rest.count else { throw Malformed() }
      var elements: [Element] = []
      for _ in 0..<count { elements.append(try element(&self)) }
      return elements
    }
  }
}

/// A file in memory whose descriptor is handed on.
enum MemoryFile {
  private static let limit = 64 << 20

  /// The descriptor, or the negated errno.
  static func write(_ bytes: [UInt8]) -> Int32 { clinux_memory_file(bytes, bytes.count) }

  /// All of it; the descriptor is closed.
  static func read(_ descriptor: Int32) -> [UInt8] {
    defer { Glibc.close(descriptor) }
    return content(descriptor)
  }

  /// All of it.
  static func content(_ descriptor: Int32) -> [UInt8] {
    let size = Int(lseek(descriptor, 0, Int32(SEEK_END)))
    guard size > 0, size <= limit else { return [] }
    return [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      count = max(0, pread(descriptor, buffer.baseAddress, size, 0))
    }
  }
}
