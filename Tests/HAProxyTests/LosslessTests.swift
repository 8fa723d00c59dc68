import HAProxy
import Testing

struct LosslessTests {
  @Test(arguments: Sample.allCases)
  func `a file that was read has the bytes that were read`(sample: Sample) {
    #expect(Configuration(sample.bytes).bytes == sample.bytes)
  }

  @Test(arguments: Sample.allCases)
  func `any one byte may be another, and every byte stays`(sample: Sample) throws {
    var random = Seeded(20_26)

    for _ in 0..<400 {
      let bytes = random.mutation(of: sample.bytes)

      #expect(Configuration(bytes).bytes == bytes)
    }
  }

  @Test(arguments: Sample.allCases)
  func `an edit of a broken file changes its one line, and its inverse gives all back`(
    sample: Sample
  ) throws {
    var random = Seeded(7)
    var edits = 0

    for _ in 0..<400 {
      let document = Configuration(random.mutation(of: sample.bytes))
      for edit in possibleEdits(of: sample.server, in: document) {
        edits += 1
        let edited = try document.applying(edit)

        #expect(edited.lines(except: edit.line) == document.lines(except: edit.line))
        #expect(try edited.applying(edit.inverse) == document)
      }
    }

    #expect(edits > 400)
  }

  @Test(arguments: [
    [], [10], [13], [13, 10], [10, 10], [0], [255, 10, 254], [0x5C], [0x22, 10],
  ])
  func `odd ends and no text at all stay as they are`(bytes: [UInt8]) {
    #expect(Configuration(bytes).bytes == bytes)
  }

  private func possibleEdits(of id: ServerID, in document: Configuration) -> [LineEdit] {
    var edits: [LineEdit] = []
    do throws(EditRefusal) {
      if let edit = try document.removing(id) { edits.append(edit) }
      if let edit = try document.rewriting(id, port: 8079) { edits.append(edit) }
    } catch {
      // Ignored: a mutation may well have made an edit impossible; the others count.
    }
    return edits
  }
}

/// The generator of `java.util.Random`'s kind, so that a failure comes back with its seed.
private struct Seeded {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next(below bound: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % bound
  }

  /// One byte replaced, left out or put in; often one that the grammar knows.
  mutating func mutation(of bytes: [UInt8]) -> [UInt8] {
    let special = Array("\n\r\t \"'\\#$:/[]x0".utf8) + [0, 0x80, 0xFF]
    let byte =
      next(below: 2) == 0 ? special[next(below: special.count)] : UInt8(next(below: 256))
    let place = next(below: bytes.count)
    var mutated = bytes
    switch next(below: 3) {
    case 0: mutated[place] = byte
    case 1: mutated.remove(at: place)
    default: mutated.insert(byte, at: place)
    }
    return mutated
  }
}

extension Configuration {
  /// Every line but one.
  fileprivate func lines(except number: Int) -> [[UInt8]] {
    var lines = bytes.split(separator: 10, omittingEmptySubsequences: false).map(Array.init)
    lines.remove(at: number - 1)
    return lines
  }
}
