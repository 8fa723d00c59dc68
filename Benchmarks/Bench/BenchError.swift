import Glibc

/// What ends a run of the benchmarks.
enum BenchError: Error, CustomStringConvertible {
  case notFound(program: String, hint: String)
  case system(String, Int32)
  case neverReady(name: String, output: String)
  case ended(name: String, output: String)
  case origin(String)
  case interrupted

  var description: String {
    switch self {
    case .notFound(let program, let hint): "\(program) was not found: \(hint)"
    case .system(let act, let error): "\(act): \(String(cString: strerror(error)))"
    case .neverReady(let name, let output): "\(name) does not answer. Its output:\n\(output)"
    case .ended(let name, let output): "\(name) has ended by itself. Its output:\n\(output)"
    case .origin(let problem): problem
    case .interrupted: "interrupted"
    }
  }
}
