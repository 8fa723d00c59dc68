import Testing

struct StyleTests {
  @Test func `a file of more than 400 lines gives its reason in its first comment`() throws {
    let long = try Repository().files.filter {
      $0.lines.count > 400 && !$0.firstComment.contains("lines")
    }

    #expect(long.map(\.path) == [])
  }

  @Test func `no error is swallowed by a question mark`() throws {
    let swallowed = "try" + "?"

    #expect(try places(of: swallowed, in: Repository().files) == [])
  }

  @Test(arguments: ["@unchecked " + "Sendable", "nonisolated(" + "unsafe)"])
  func `what the compiler cannot check carries a comment`(words: String) throws {
    let bare = try Repository().sources.flatMap { file in
      file.lineNumbers(with: words).filter { !file.hasComment(onOrAbove: $0) }
        .map { "\(file.path):\($0)" }
    }

    #expect(bare == [])
  }

  @Test(arguments: ["/work" + "/", "/home" + "/", "/Users" + "/"])
  func `no path of anybody's own machine is written down`(path: String) throws {
    #expect(try places(of: "\"" + path, in: Repository().sources) == [])
  }

  @Test func `comments do not count as code, and a comment above counts as one`() {
    let file = SourceFile(
      path: "Sources/Room/File.swift",
      text: """
        // Why it is safe.
        struct A: @unchecked Sendable {}

        struct B: @unchecked Sendable {}  // Why.
        struct C: @unchecked Sendable {}
        // @unchecked Sendable
        """
    )

    let found = file.lineNumbers(with: "@unchecked Sendable")

    #expect(found == [2, 4, 5])
    #expect(found.map(file.hasComment) == [true, true, false])
  }

  private func places(of text: String, in files: [SourceFile]) -> [String] {
    files.flatMap { file in
      file.lineNumbers(with: text).map { "\(file.path):\($0)" }
    }
  }
}
