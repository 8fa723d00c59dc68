import HAProxy

extension Sentences {
  /// Why an edit of haproxy.cfg was not made.
  static func edit(_ refusal: EditRefusal) -> String {
    switch refusal {
    case .notFound(let id):
      "there is no server line \(id) in a backend or listen section"
    case .ambiguous(let id, let lines):
      "\(id) stands on lines \(list(lines)); exactly one is needed (branches of .if?)"
    case .variableInAddress(_, let line, let address):
      "line \(line): the address \(address) holds an environment variable, "
        + "so its port cannot be rewritten"
    case .noPlainPort(_, let line, let address):
      "line \(line): the address \(address) has no plain port to rewrite"
    case .referenced(let id, let lines):
      "\(id) cannot be removed: line \(list(lines)) needs it (use-server, track, srv_…)"
    case .lastUsable(let id, let line):
      "line \(line): \(id) is the last usable server of \(id.backend); without it every request "
        + "would get a 503"
    case .portOutOfRange(let port): "\(port) is no port: 1 to 65535"
    case .lineDiffers(let line): "line \(line) is not what it was"
    }
  }
}
