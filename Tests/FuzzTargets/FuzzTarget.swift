// FuzzTargets: promises about code that reads what strangers send, each to be kept for any bytes whatever. The fuzzer
// looks for bytes that break one; the unit tests try those that were once of interest.

/// What is fuzzed. The raw value names its folder under Tests/Corpus.
package enum FuzzTarget: String, Sendable, CaseIterable {
  /// One connection's relay, lanes and front, in any order of facts that a loop may deliver.
  case relay
  /// A PROXY protocol header in any cut.
  case header
  /// Arguments and a file of flags.
  case flags

  /// The promise that the bytes break; nil where all are kept.
  package func examine(_ input: [UInt8]) -> String? {
    do throws(BrokenPromise) {
      switch self {
      case .relay: try RelayTarget.examine(input)
      case .header: try HeaderTarget.examine(input)
      case .flags: try FlagsTarget.examine(input)
      }
      return nil
    } catch {
      return error.text
    }
  }
}

struct BrokenPromise: Error {
  let text: String
}

func promise(_ isKept: Bool, _ text: @autoclosure () -> String) throws(BrokenPromise) {
  if !isKept { throw BrokenPromise(text: text()) }
}

/// Decisions out of bytes; zeros when they are used up.
struct Script {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isOver: Bool { rest.isEmpty }

  mutating func next() -> Int { rest.popFirst().map(Int.init) ?? 0 }

  /// A number from 0 up to and with the limit.
  mutating func number(upTo limit: Int) -> Int {
    limit < 256 ? next() % (limit + 1) : (next() << 8 | next()) % (limit + 1)
  }
}
