/// One thing that is wrong with a template, and where.
package struct TemplateProblem: Sendable, Hashable {
  package var file: String
  package var line: Int
  package var code: Code

  package init(file: String, line: Int, code: Code) {
    self.file = file
    self.line = line
    self.code = code
  }

  package enum Code: Sendable, Hashable {
    case unknownVariable(String, known: [String])
    case unsafeValue(variable: String, value: String)
    case unsupported(tag: String)
    case notOpen(section: String)
    case notClosed(section: String)
    /// A section's name where a text is needed, and the reverse.
    case isSection(String)
    case isNoSection(String)
    case malformed(String)
    /// A route's `sample`, `amplify`, `rate`, `breaker`, `allow` or `shadow-proxy-protocol` would be written nowhere.
    case leavesOutCopying
  }
}

/// Everything that is wrong with a template; at least one problem.
package struct TemplateProblems: Error, Sendable, Hashable, CustomStringConvertible {
  package var problems: [TemplateProblem]

  package init(_ problems: [TemplateProblem]) {
    self.problems = problems
  }

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}

extension TemplateProblem: CustomStringConvertible {
  package var description: String { "\(file):\(line): \(sentence)" }

  private var sentence: String {
    switch code {
    case .unknownVariable(let name, let known):
      "the inventory has no value `\(name)`; there are \(known.joined(separator: ", "))"
    case .unsafeValue(let name, let value):
      "`\(name)` is \(value.debugDescription), which could mean something else in this file"
    case .unsupported(let tag):
      "`\(tag)`: only variables, sections and comments are understood here"
    case .notOpen(let section): "section `\(section)` ends here but is not open"
    case .notClosed(let section): "section `\(section)` is not closed"
    case .isSection(let name): "`\(name)` opens a section ({{#\(name)}}), it is no text"
    case .isNoSection(let name): "`\(name)` is a text and opens no section"
    case .leavesOutCopying:
      "the inventory has `sample`, `amplify`, `rate`, `breaker`, `allow` or `shadow-proxy-protocol`, and this template "
        + "writes them nowhere: "
        + "add `{{#copying}}`, `{{flag}} {{value}}` and `{{/copying}}` as three lines to its routes"
    case .malformed(let detail): "this is no mustache template: \(detail)"
    }
  }
}
