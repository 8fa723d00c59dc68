import HAProxy

extension Sentences {
  /// Why a server line was not edited, and what to do.
  static func edit(_ refusal: EditRefusal) -> String {
    switch refusal {
    case .notFound(let id):
      "there is no server line \(id) in a backend or listen section: "
        + "`duplexctl haproxy list --file` shows those that are there"
    case .ambiguous(let id, let lines):
      "\(id) stands on lines \(list(lines)), and exactly one is needed: keep one of them, or edit "
        + "by hand (branches of .if?)"
    case .variableInAddress(_, _, let address):
      "the address \(address) holds an environment variable, so its port cannot be rewritten: "
        + "write the address out"
    case .noPlainPort(_, _, let address):
      "the address \(address) has no plain port to rewrite: write it as ADDRESS:PORT"
    case .referenced(let id, let lines):
      "\(id) cannot be removed, as line \(list(lines)) needs it (use-server, track, srv_…): "
        + "change that first"
    case .lastUsable(let id, _):
      "\(id) is the last usable server of \(id.backend), and without it every request would get a "
        + "503: bring another server in first"
    case .portOutOfRange(let port): "\(port) is no port: 1 to 65535"
    case .lineDiffers: "the line is not what it was: run again"
    }
  }
}

extension EditRefusal {
  /// The one line that it is about; nil where there is none.
  var line: Int? {
    switch self {
    case .variableInAddress(_, let line, _), .noPlainPort(_, let line, _), .lastUsable(_, let line),
      .lineDiffers(let line):
      line
    case .notFound, .ambiguous, .referenced, .portOutOfRange: nil
    }
  }
}
