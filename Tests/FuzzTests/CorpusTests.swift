import FuzzTargets
import Glibc
import Testing

@Suite struct CorpusTests {
  /// Every file of the corpus; the fuzzer names them by their SHA-1.
  private static let kept = FuzzTarget.allCases.flatMap { target in
    Corpus.files(of: target).map { (target, $0) }
  }

  @Test(arguments: FuzzTarget.allCases)
  func `every target has bytes that are kept`(_ target: FuzzTarget) {
    #expect(Corpus.files(of: target).count >= 10)
  }

  @Test(arguments: kept)
  func `bytes that were once of interest break no promise`(_ target: FuzzTarget, _ file: String) {
    #expect(target.examine(Corpus.bytes(of: file)) == nil)
  }

  /// Where there is no libFuzzer this is what there is: the corpus, changed by a seeded generator.
  @Test(arguments: kept)
  func `nor do they when they are changed`(_ target: FuzzTarget, _ file: String) {
    var random = Generator(
      state: UInt64(truncatingIfNeeded: file.utf8.reduce(7) { $0 &* 31 &+ Int($1) })
    )
    let bytes = Corpus.bytes(of: file)
    for _ in 0..<20 {
      var changed = bytes
      for _ in 0...Int.random(in: 0...4, using: &random) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0 where !changed.isEmpty:
          changed.remove(at: Int.random(in: changed.indices, using: &random))
        case 1 where !changed.isEmpty:
          changed[Int.random(in: changed.indices, using: &random)] = .random(
            in: 0...255,
            using: &random
          )
        default:
          changed.insert(
            .random(in: 0...255, using: &random),
            at: Int.random(in: 0...changed.count, using: &random)
          )
        }
      }
      #expect(target.examine(changed) == nil, "\(changed)")
    }
  }
}

private struct Generator: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

/// Tests/Corpus: a folder a target.
private enum Corpus {
  private static let folder =
    #filePath.split(separator: "/").dropLast(2).reduce("") { $0 + "/" + $1 } + "/Corpus"

  static func files(of target: FuzzTarget) -> [String] {
    let path = "\(folder)/\(target.rawValue)"
    guard let directory = opendir(path) else { return [] }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if !name.hasPrefix(".") { names.append("\(path)/\(name)") }
    }
    return names.sorted()
  }

  static func bytes(of path: String) -> [UInt8] {
    guard let file = fopen(path, "re") else { return [] }
    defer { fclose(file) }
    return [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
      count = fread(buffer.baseAddress, 1, buffer.count, file)
    }
  }
}
