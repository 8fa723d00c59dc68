/// One tag of a template and the line it stands in.
struct TemplateTag: Hashable {
  var kind: Kind
  var name: String
  var line: Int

  enum Kind: Hashable {
    case variable
    case open
    case openInverted
    case close
    case comment
    /// Partials, blocks, changed delimiters, pragmas, or a tag that does not end.
    case unsupported
  }
}

/// Finds the tags of a mustache template (mustache(5)).
///
/// The library shows nothing for a name it does not know; the operator wants to be told.
struct TemplateTags {
  static func all(in text: String) -> [TemplateTag] {
    var tags: [TemplateTag] = []
    var line = 1
    var rest = text[...]
    while let start = rest.firstRange(of: "{{") {
      line += rest[..<start.lowerBound].count { $0.isNewline }
      let body = rest[start.upperBound...]
      let closing = body.first == "{" ? "}}}" : "}}"
      guard let end = body.firstRange(of: closing) else {
        let name = String(body.prefix { !$0.isNewline })
        return tags + [TemplateTag(kind: .unsupported, name: name, line: line)]
      }
      let inner = body[..<end.lowerBound]
      tags.append(tag(inner, line: line))
      line += inner.count { $0.isNewline }
      rest = rest[end.upperBound...]
    }
    return tags
  }

  private static func tag(_ inner: Substring, line: Int) -> TemplateTag {
    let kinds: [Character: TemplateTag.Kind] = [
      "#": .open, "^": .openInverted, "/": .close, "!": .comment, "{": .variable, "&": .variable,
      ">": .unsupported, "<": .unsupported, "$": .unsupported, "=": .unsupported,
      "%": .unsupported,
    ]
    guard let kind = inner.first.flatMap({ kinds[$0] }) else {
      return TemplateTag(kind: .variable, name: trimmed(inner), line: line)
    }
    return TemplateTag(kind: kind, name: trimmed(inner.dropFirst()), line: line)
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text.drop { $0.isWhitespace }
    while text.last?.isWhitespace == true { text.removeLast() }
    return String(text)
  }
}
