import CLinux

/// A set of processors, of the first 64.
struct Processors: Equatable, Sendable {
  let mask: UInt64

  /// All that this process was given.
  static let all = Processors(mask: clinux_processors())

  /// The last of them.
  var last: Processors {
    Processors(mask: mask == 0 ? 0 : 1 << UInt64(63 - mask.leadingZeroBitCount))
  }

  /// All others; all where there are no others.
  func without(_ others: Processors) -> Processors {
    mask & ~others.mask == 0 ? self : Processors(mask: mask & ~others.mask)
  }

  var count: Int { mask.nonzeroBitCount }
}

/// Who runs where while something is measured.
enum Seating: String, Codable, Sendable {
  /// The proxy has the last processor for itself; clients and servers have the others.
  case apart
  /// Everything shares all processors, as the scheduler likes.
  case together

  var proxy: Processors { self == .apart ? Processors.all.last : .all }
  var others: Processors { self == .apart ? Processors.all.without(.all.last) : .all }
}
