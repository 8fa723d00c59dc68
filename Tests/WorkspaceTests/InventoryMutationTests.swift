import Fleet
import Testing
import Workspace

struct InventoryMutationTests {
  @Test func `no slip of a key makes the decoder do anything but decode or explain`() throws {
    let text = Array(try RepositoryFile.text("inventories/lab.yml").utf8)
    let slips: [UInt8] = Array(":-#[]{}\"'&*!|>%@`, \n\t~<0z\u{0}".utf8) + [0xff]

    for offset in text.indices {
      for slip in slips {
        var mutated = text
        mutated[offset] = slip
        #expect(decodesOrExplains(mutated), "byte \(offset) is \(slip)")
      }
    }
  }

  /// Every explanation has a place in the file.
  private func decodesOrExplains(_ bytes: [UInt8]) -> Bool {
    do throws(InventoryProblems) {
      let document = try YAMLDocument.parse(bytes, file: "fleet.yml")
      let decoder = InventoryDecoder(file: "fleet.yml", surroundings: Sample.surroundings)
      return try !decoder.decode(document).hosts.isEmpty
    } catch {
      let lines = bytes.count { $0 == UInt8(ascii: "\n") } + 1
      return !error.problems.isEmpty
        && error.problems.allSatisfy { (1...lines + 1).contains($0.position.line) }
    }
  }
}
