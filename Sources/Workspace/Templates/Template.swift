import Mustache

/// A text with tags in it, which values of the inventory fill.
package struct Template: Sendable {
  /// The file, for problems.
  package var file: String
  package var text: String

  package init(file: String, text: String) {
    self.file = file
    self.text = text
  }

  /// The text with every tag filled in; nothing is escaped.
  ///
  /// - Throws: every tag that names what is not there, and every value that could break the file.
  package func render(_ values: [String: TemplateValue]) throws(TemplateProblems) -> String {
    let problems = check(values)
    guard problems.isEmpty else { throw TemplateProblems(problems) }
    do {
      let template = try MustacheTemplate(string: "{{% CONTENT_TYPE:TEXT}}\n" + text)
      return template.render(values.mapValues(\.rendered))
    } catch {
      throw TemplateProblems([problem(.malformed("\(error)"), line: 1)])
    }
  }

  /// Whether a tag of the template has this name.
  func names(_ name: String) -> Bool {
    TemplateTags.all(in: text).contains { $0.kind != .comment && $0.name == name }
  }

  private func check(_ values: [String: TemplateValue]) -> [TemplateProblem] {
    var problems: [TemplateProblem] = []
    var scopes: [(section: TemplateTag?, values: [String: TemplateValue])] = [(nil, values)]
    for tag in TemplateTags.all(in: text) {
      let value = scopes.reversed().lazy.compactMap { $0.values[tag.name] }.first
      switch tag.kind {
      case .comment: break
      case .unsupported: problems.append(problem(.unsupported(tag: tag.name), line: tag.line))
      case .close:
        if scopes.last?.section?.name == tag.name {
          scopes.removeLast()
        } else {
          problems.append(problem(.notOpen(section: tag.name), line: tag.line))
        }
      case .variable, .open, .openInverted:
        problems += check(tag, value, known: scopes.flatMap { $0.values.keys })
        if tag.kind == .open || tag.kind == .openInverted {
          scopes.append((tag, tag.kind == .open ? value?.inner ?? [:] : [:]))
        }
      }
    }
    return problems
      + scopes.compactMap(\.section).map { problem(.notClosed(section: $0.name), line: $0.line) }
  }

  private func check(_ tag: TemplateTag, _ value: TemplateValue?, known: [String])
    -> [TemplateProblem]
  {
    switch (tag.kind, value) {
    case (_, nil):
      [problem(.unknownVariable(tag.name, known: known.sorted()), line: tag.line)]
    case (.variable, .text(let text)?):
      value?.isPlain == true
        ? [] : [problem(.unsafeValue(variable: tag.name, value: text), line: tag.line)]
    case (.variable, _?): [problem(.isSection(tag.name), line: tag.line)]
    case (_, .text?): [problem(.isNoSection(tag.name), line: tag.line)]
    case (_, .rows(_, let rows)?):
      rows.flatMap { $0.sorted { $0.key < $1.key } }.compactMap { name, value in
        guard case .text(let text) = value, !value.isPlain else { return nil }
        return problem(.unsafeValue(variable: name, value: text), line: tag.line)
      }
    case (_, .flag?): []
    }
  }

  private func problem(_ code: TemplateProblem.Code, line: Int) -> TemplateProblem {
    TemplateProblem(file: file, line: line, code: code)
  }
}

extension TemplateValue {
  /// What a section over this value may name besides what stands around it: each row's keys, with
  /// stand-ins when there is no row.
  fileprivate var inner: [String: TemplateValue] {
    guard case .rows(let keys, let rows) = self else { return [:] }
    return rows.first ?? Dictionary(uniqueKeysWithValues: keys.map { ($0, .text("")) })
  }
}
