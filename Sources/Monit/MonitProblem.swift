/// What keeps a service from being put under monit on a host, each with a cure of its own.
package enum MonitProblem: Sendable, Hashable, Codable {
  case notInstalled
  case daemonNotRunning
  /// monit's configuration has no `set httpd` with an `allow`.
  case interfaceOff
  /// In monit's words.
  case interfaceUnreachable(said: String)
  /// In monit's words. One bad file among the included ones makes every command fail.
  case configurationInvalid(said: String)
  /// No `include` of monit's control file matches `path`; those it has.
  case notIncluded(path: String, includes: [String])
}

extension MonitObservation {
  /// All that would make it fail later to put a service under monit.
  ///
  /// - Parameter path: where the service's part of monit's configuration goes.
  package func problems(placing path: String) -> [MonitProblem] {
    guard version != nil else { return [.notInstalled] }
    var problems: [MonitProblem] = []
    if let configurationError {
      problems.append(.configurationInvalid(said: configurationError))
    }
    if daemon == nil { problems.append(.daemonNotRunning) }
    switch interface {
    case .off: problems.append(.interfaceOff)
    // One bad file makes `monit status` fail with the same words.
    case .unreachable(let said) where configurationError == nil:
      problems.append(.interfaceUnreachable(said: said))
    case .unreachable, .notAsked, .answers: break
    }
    if !includesFile(path) {
      problems.append(.notIncluded(path: path, includes: includes))
    }
    return problems
  }

  /// Whether monit would read this file, by the `include` lines of its control file: patterns of
  /// glob(3), of which `*` and `?` are known here. Of what a `*` brings in, monit leaves out names
  /// that begin with "." or end in "~".
  package func includesFile(_ path: String) -> Bool {
    let name = path.split(separator: "/").last ?? ""
    guard !name.hasPrefix("."), !name.hasSuffix("~") else { return false }
    return includes.contains { Self.matches(path.utf8[...], pattern: $0.utf8[...]) }
  }

  private static func matches(
    _ path: Substring.UTF8View,
    pattern: Substring.UTF8View
  ) -> Bool {
    guard let first = pattern.first else { return path.isEmpty }
    let slash = UInt8(ascii: "/")
    switch first {
    case UInt8(ascii: "*"):
      if matches(path, pattern: pattern.dropFirst()) { return true }
      guard let byte = path.first, byte != slash else { return false }
      return matches(path.dropFirst(), pattern: pattern)
    case UInt8(ascii: "?"):
      guard let byte = path.first, byte != slash else { return false }
    default:
      guard path.first == first else { return false }
    }
    return matches(path.dropFirst(), pattern: pattern.dropFirst())
  }
}
