/// What a template may name.
package indirect enum TemplateValue: Sendable, Hashable {
  case text(String)
  /// Shows or hides a section.
  case flag(Bool)
  /// Repeats a section; `keys` are what each row has, also when there is no row.
  case rows(keys: [String], [[String: TemplateValue]])

  /// What swift-mustache is given.
  var rendered: Any {
    switch self {
    case .text(let text): text
    case .flag(let flag): flag
    case .rows(_, let rows): rows.map { $0.mapValues(\.rendered) }
    }
  }

  /// Whether every text in it is made only of what means nothing special to a shell, to monit or
  /// in a file of flags. The inventory's own rules see to that; this is the second look.
  var isPlain: Bool {
    switch self {
    case .text(let text):
      text.unicodeScalars.allSatisfy { scalar in
        scalar.isASCII
          && (scalar.properties.isAlphabetic || scalar.properties.numericType != nil
            || "/._+@=,:[]%-".unicodeScalars.contains(scalar))
      }
    case .flag: true
    case .rows(_, let rows): rows.allSatisfy { $0.values.allSatisfy(\.isPlain) }
    }
  }
}
