import Testing
import Workspace

struct TemplateTests {
  private let values: [String: TemplateValue] = [
    "host": .text("app1"), "mark": .text("a-b"), "shown": .flag(true), "hidden": .flag(false),
    "routes": .rows(keys: ["name"], [["name": .text("web")], ["name": .text("api")]]),
    "none": .rows(keys: ["name"], []),
  ]

  @Test(arguments: [
    ("plain { text }\n", "plain { text }\n"),
    ("{{host}} {{ host }} {{{host}}} {{& host}}\n", "app1 app1 app1 app1\n"),
    ("a\n{{! a note\n over lines }}\nb\n", "a\nb\n"),
    ("{{#shown}}\nyes\n{{/shown}}\n{{^shown}}\nno\n{{/shown}}\n", "yes\n"),
    ("{{#hidden}}\nyes\n{{/hidden}}\n{{^hidden}}\nno\n{{/hidden}}\n", "no\n"),
    ("{{#routes}}{{host}}/{{name}} {{/routes}}\n", "app1/web app1/api \n"),
    ("{{#none}}{{name}}{{/none}}{{^none}}nothing{{/none}}\n", "nothing\n"),
    ("\"{{mark}}\" & 'it' <b>\n", "\"a-b\" & 'it' <b>\n"),
  ])
  func `tags are filled in and nothing else is touched`(text: String, result: String) throws {
    #expect(try Template(file: "x", text: text).render(values) == result)
  }

  @Test(arguments: [
    (
      "one\n{{hots}}\n",
      ["2: the inventory has no value `hots`; there are hidden, host, mark, none, routes, shown"]
    ),
    (
      "{{name}}{{#routes}}\n{{port}}{{/routes}}",
      [
        "1: the inventory has no value `name`; there are hidden, host, mark, none, routes, shown",
        "2: the inventory has no value `port`; "
          + "there are hidden, host, mark, name, none, routes, shown",
      ]
    ),
    (
      "{{#no}}{{/no}}\n{{^neither}}{{/neither}}",
      [
        "1: the inventory has no value `no`; there are hidden, host, mark, none, routes, shown",
        "2: the inventory has no value `neither`; "
          + "there are hidden, host, mark, none, routes, shown",
      ]
    ),
    (
      "{{#none}}\n{{port}}{{/none}}",
      [
        "2: the inventory has no value `port`; there are hidden, host, mark, name, none, routes, shown"
      ]
    ),
    ("{{#shown}}\n", ["1: section `shown` is not closed"]),
    ("\n{{/shown}}", ["2: section `shown` ends here but is not open"]),
    ("{{> other}}", ["1: `other`: only variables, sections and comments are understood here"]),
    ("{{=<% %>=}}", ["1: `<% %>=`: only variables, sections and comments are understood here"]),
    ("{{host\n", ["1: `host`: only variables, sections and comments are understood here"]),
    ("{{routes}}", ["1: `routes` opens a section ({{#routes}}), it is no text"]),
    ("{{#host}}{{/host}}", ["1: `host` is a text and opens no section"]),
  ])
  func `a tag that names what is not there is refused with its line`(
    text: String,
    problems: [String]
  ) {
    let thrown = #expect(throws: TemplateProblems.self) {
      try Template(file: "x.mustache", text: text).render(values)
    }

    #expect(thrown?.problems.map(\.description) == problems.map { "x.mustache:\($0)" })
  }

  @Test(arguments: ["two\nlines", "a\"b", "a'b", "a b", "$a", "a;b", "a`b", "a\\b", "ü", "a#b"])
  func `a value that could mean something else in the file is refused`(value: String) {
    let thrown = #expect(throws: TemplateProblems.self) {
      try Template(file: "x", text: "\n{{host}}").render(["host": .text(value)])
    }

    #expect(
      thrown?.problems == [
        TemplateProblem(file: "x", line: 2, code: .unsafeValue(variable: "host", value: value))
      ]
    )
  }
}
