import FuzzTargets
import Glibc

/// libFuzzer around one of the targets: the arguments are libFuzzer's own, DUPLEX_FUZZ names the target.
///
/// SwiftPM and libFuzzer both bring the program's `main`, so ours calls libFuzzer's driver.
@main enum Fuzzer {
  static func main() {
    var count = CommandLine.argc
    var arguments = CommandLine.unsafeArgv
    exit(runDriver(&count, &arguments, examine))
  }
}

@_silgen_name("LLVMFuzzerRunDriver")
private func runDriver(
  _ count: UnsafeMutablePointer<Int32>,
  _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
  _ examine: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
) -> Int32

private let target: FuzzTarget = {
  let name = getenv("DUPLEX_FUZZ").map { String(cString: $0) } ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    fatalError("DUPLEX_FUZZ is one of \(FuzzTarget.allCases.map(\.rawValue))")
  }
  return target
}()

private func examine(_ bytes: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
  let input = Array(UnsafeBufferPointer(start: bytes, count: count))
  if let broken = target.examine(input) { fatalError(broken) }
  return 0
}
