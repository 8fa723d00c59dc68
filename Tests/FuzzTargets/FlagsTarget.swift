import Duplex
import ProxyServer

/// Bytes as a file of flags, and line by line as arguments.
enum FlagsTarget {
  static func examine(_ input: [UInt8]) throws(BrokenPromise) {
    let text = String(decoding: input, as: UTF8.self)
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    try examine(["--config", "file"], file: text) { place in
      if ["configuration", "argument 1"].contains(place) { return true }
      let parts = place.split(separator: ":")
      return parts.count == 2 && parts[0] == "file"
        && Int(parts[1]).map { (1...lines.count).contains($0) } == true
    }
    let words = lines.map(String.init)
    try examine(words, file: "-v") { place in
      let parts = place.split(separator: " ")
      return place == "configuration"
        || (parts.count == 2 && parts[0] == "argument"
          && Int(parts[1]).map { (1...words.count).contains($0) } == true)
    }
  }

  private static func examine(
    _ arguments: [String],
    file: String,
    isPlace: (String) -> Bool
  ) throws(BrokenPromise) {
    do {
      let configuration = try Flags.parse(arguments) { _ in .success(file) }
      return try examine(configuration)
    } catch let problems as Flags.Problems {
      try promise(!problems.all.isEmpty, "refused without a problem")
      for problem in problems.all {
        try promise(isPlace(problem.place), "a problem at \(problem.place): \(problem.text)")
        try promise(!problem.text.isEmpty, "a problem without words at \(problem.place)")
      }
    } catch let broken as BrokenPromise {
      throw broken
    } catch {
      throw BrokenPromise(text: "an error of no known kind: \(error)")
    }
  }

  /// What was accepted, written as flags again, means the same.
  private static func examine(_ accepted: Configuration) throws(BrokenPromise) {
    let written = flags(of: accepted)
    let again: Configuration
    do {
      again = try Flags.parse(written) { _ in .success("") }
    } catch {
      throw BrokenPromise(text: "\(written) is refused: \(error.all)")
    }
    try promise(again.routes == accepted.routes, "\(written) gives other routes")
    try promise(again.admin == accepted.admin, "\(written) gives another admin endpoint")
    try promise(!DuplexProxy.description(of: accepted).isEmpty, "\(written) means nothing")
    try promise(
      routes(of: again) == routes(of: accepted),
      "\(written) is described otherwise the second time"
    )
  }

  /// --check's text without the limits, which are no part of a route.
  private static func routes(of configuration: Configuration) -> String {
    var routes = Configuration()
    (routes.routes, routes.admin) = (configuration.routes, configuration.admin)
    return DuplexProxy.description(of: routes)
  }

  private static func flags(of configuration: Configuration) -> [String] {
    var words: [String] = []
    for route in configuration.routes {
      words += ["--listen", "\(route.listen)"]
      if let path = route.primary.unixPath {
        words += ["--socket", path]
      } else {
        words += ["--relay", "\(route.primary)"]
      }
      for shadow in route.shadows { words += ["--duplicate", "\(shadow)"] }
      if let mode = route.listenMode {
        let digits = String(mode, radix: 8)
        words += [
          "--listen-mode", String(repeating: "0", count: max(0, 3 - digits.count)) + digits,
        ]
      }
      for range in route.allowed { words += ["--allow", "\(range)"] }
      words += ["--shadow-proxy-protocol", route.shadowProxyProtocol.rawValue]
    }
    for address in configuration.admin { words += ["--admin", "\(address)"] }
    return words
  }
}
