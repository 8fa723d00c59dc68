/// What a configuration was read from: the arguments, and the contents of the files they name. It goes to the worker,
/// which may not be allowed to read them itself, and to the executable that takes over in an upgrade.
package struct ConfigurationText: Sendable, Equatable {
  package let arguments: [String]
  /// By path.
  package let files: [String: String]

  package init(arguments: [String], files: [String: String]) {
    self.arguments = arguments
    self.files = files
  }

  /// Reads the files anew.
  package static func read(
    _ arguments: [String],
    readFile: Flags.FileReader
  ) throws(Flags.Problems) -> (text: ConfigurationText, configuration: Configuration) {
    var files: [String: String] = [:]
    let configuration = try Flags.parse(arguments) { path in
      let result = readFile(path)
      if case .success(let content) = result { files[path] = content }
      return result
    }
    return (ConfigurationText(arguments: arguments, files: files), configuration)
  }

  package func configuration() throws(Flags.Problems) -> Configuration {
    try Flags.parse(arguments) { path in
      files[path].map { .success($0) }
        ?? .failure(Flags.Problem(place: path, text: "\(path) was not handed over"))
    }
  }
}

extension ConfigurationText {
  func write(to fields: inout Fields) {
    fields.append(arguments.count)
    for argument in arguments { fields.append(argument) }
    fields.append(files.count)
    for (path, content) in files.sorted(by: { $0.key < $1.key }) {
      fields.append(path)
      fields.append(content)
    }
  }

  init(from fields: inout Fields.Reader) throws(Fields.Malformed) {
    arguments = try fields.list { reader throws(Fields.Malformed) in try reader.text() }
    let pairs = try fields.list { reader throws(Fields.Malformed) in
      (path: try reader.text(), content: try reader.text())
    }
    files = Dictionary(pairs.map { ($0.path, $0.content) }) { $1 }
  }
}
