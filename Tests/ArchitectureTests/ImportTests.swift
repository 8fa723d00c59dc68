import Testing

struct ImportTests {
  @Test func `every folder of source is a room of the design, and the other way round`() throws {
    let repository = try Repository()

    let rooms = Set(repository.design.pureRooms.keys).union(repository.design.otherRooms.keys)
    let doors: Set = ["CLibSSH2", "COpenSSL", "CLinux", "CURing"]
    #expect(Set(repository.sources.map(\.target)).union(doors) == rooms)
  }

  @Test func `a pure room imports only what the design allows`() throws {
    let repository = try Repository()

    let strangers = strangers(in: repository.sources, allowing: repository.design.pureRooms)

    #expect(strangers == [])
  }

  @Test func `any other room imports only what the design allows and the toolchain brings`() throws
  {
    let repository = try Repository()
    let allowed = repository.design.otherRooms.mapValues { $0.union(toolchain) }

    #expect(strangers(in: repository.sources, allowing: allowed) == [])
  }

  @Test func `the proxy goes without full Foundation`() throws {
    let proxy = try Repository().sources.filter {
      ["Duplex", "ProxyServer", "duplex-proxy"].contains($0.target)
    }

    #expect(!proxy.isEmpty)
    #expect(proxy.filter { $0.imports.contains("Foundation") }.map(\.path) == [])
  }

  @Test func `imports are found in all their forms`() {
    let file = SourceFile(
      path: "Sources/Room/File.swift",
      text: """
        import A
        package import B
        @testable import C
        @preconcurrency public import struct D.E
          import F
        // import G
        let important = 1
        """
    )

    #expect(file.imports == ["A", "B", "C", "D", "F"])
  }

  private let toolchain: Set = [
    "Foundation", "FoundationEssentials", "Glibc", "Musl", "Darwin", "Dispatch", "Synchronization",
  ]

  private func strangers(
    in files: [SourceFile],
    allowing rooms: [String: Set<String>]
  ) -> [String] {
    files.flatMap { file in
      guard let allowed = rooms[file.target] else { return [String]() }
      return file.imports.filter { !allowed.contains($0) }.map { "\(file.path): \($0)" }
    }
  }
}
