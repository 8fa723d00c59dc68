import Foundation
import TestSupport
import Testing
import Workspace

struct BundleTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
  }

  private func bundle(_ executable: String, inventory: String? = nil) -> Workspace.Bundle {
    Workspace.Bundle(
      machine: OperatorMachine(
        environment: [:],
        folder: folder.path,
        executable: folder.path(of: executable)
      ),
      inventoryFolder: inventory.map { folder.path(of: $0) }
    )
  }

  /// A 64-bit little-endian ELF header with one program header of this type.
  private func elf(machine: UInt8 = 62, segment: UInt8 = 1) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 120)
    bytes.replaceSubrange(0..<6, with: [0x7f, 0x45, 0x4c, 0x46, 2, 1])
    (bytes[18], bytes[32], bytes[54], bytes[56], bytes[64]) = (machine, 64, 56, 1, segment)
    return bytes
  }

  @Test(arguments: [
    ["own/inventories/duplex-proxy", "own/duplex-proxy", "release/duplex-proxy"],
    ["own/duplex-proxy", "release/duplex-proxy"],
    ["release/duplex-proxy", "release/libexec/duplex-proxy"],
    ["release/libexec/duplex-proxy", "share/duplexctl/duplex-proxy"],
  ])
  func `an operator's own proxy goes before the one that was shipped`(present: [String]) throws {
    for name in present { try folder.write(elf(), to: name) }

    let proxy = try bundle("release/duplexctl", inventory: "own/inventories").proxy()

    #expect(proxy.path == folder.path(of: present[0]))
  }

  @Test func `a source checkout has the static proxy in a build folder of its own`() throws {
    try folder.write(elf(segment: 3), to: "code/.build/x86_64/debug/duplex-proxy")
    try folder.write(elf(), to: "code/.build-static/release/duplex-proxy")

    let proxy = try bundle("code/.build/x86_64/debug/duplexctl").proxy()

    #expect(proxy.path == folder.path(of: "code/.build-static/release/duplex-proxy"))
  }

  @Test(arguments: [
    (UInt8(62), UInt8(1), "x86_64", true), (62, 3, "x86_64", false), (183, 1, "aarch64", true),
  ])
  func `the proxy's architecture and whether it is static are read from it`(
    machine: UInt8,
    segment: UInt8,
    architecture: String,
    isStatic: Bool
  ) throws {
    let bytes = elf(machine: machine, segment: segment)
    let path = try folder.write(bytes, to: "duplex-proxy")

    let proxy = try ProxyExecutable.read(path)

    #expect(
      proxy
        == ProxyExecutable(
          path: path,
          bytes: bytes,
          sha256: sha256Hex(bytes),
          architecture: architecture,
          isStatic: isStatic
        )
    )
  }

  @Test func `what is no executable for a host is refused, however it is cut or mutated`() throws {
    var random = SystemRandomNumberGenerator()
    let whole = elf()
    var candidates = (0..<whole.count).map { Array(whole[..<$0]) }
    candidates += [Array("#!/bin/sh\n".utf8), elf(machine: 40)]

    for bytes in candidates {
      let path = try folder.write(bytes, to: "duplex-proxy")
      #expect(throws: NotAnExecutable(path: path)) { try ProxyExecutable.read(path) }
    }
    for _ in 0..<500 {
      var bytes = whole
      bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
      let path = try folder.write(bytes, to: "duplex-proxy")
      do {
        _ = try ProxyExecutable.read(path)
      } catch is NotAnExecutable {
        // Either answer is right; reading past the end would have ended the test.
      }
    }
  }

  @Test func `what is missing is said with all places looked at`() throws {
    let problem = #expect(throws: NotInBundle.self) {
      try bundle("release/bin/duplexctl", inventory: "own/inventories").templatesFolder()
    }

    let places = [
      "own/inventories/templates", "own/templates", "release/bin/templates", "release/templates",
      "release/share/duplexctl/templates",
    ]
    #expect(
      problem == NotInBundle(what: "the templates", places: places.map { folder.path(of: $0) })
    )
  }

  @Test func `a digest is the one that sha256sum prints`() {
    #expect(
      sha256Hex(Array("abc".utf8))
        == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
    #expect(
      sha256Hex([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )
  }
}

struct NewWorkspaceTests {
  private let folder: TemporaryFolder

  init() throws {
    folder = try TemporaryFolder()
    for name in HostTemplates.names {
      try folder.write("template \(name)", to: "release/templates/\(name)")
    }
    try folder.write("# an example\n", to: "release/inventories/example.yml")
  }

  private func begin() throws -> NewWorkspace.Written {
    let machine = OperatorMachine(
      environment: [:],
      folder: folder.path,
      executable: folder.path(of: "release/duplexctl")
    )
    return try NewWorkspace(
      folder: folder.path(of: "my/fleet"),
      bundle: Workspace.Bundle(machine: machine, inventoryFolder: nil)
    ).write()
  }

  @Test func `an inventory is begun from the release alone`() throws {
    let written = try begin().written

    #expect(
      written == [
        "inventories/production.yml", "templates/duplex-proxy.conf.mustache",
        "templates/duplex-proxy-runner.mustache", "templates/duplex-proxy.monit.mustache",
      ]
    )
    #expect(
      try written.map { String(decoding: try folder.read("my/fleet/\($0)"), as: UTF8.self) } == [
        "# an example\n", "template duplex-proxy.conf.mustache",
        "template duplex-proxy-runner.mustache", "template duplex-proxy.monit.mustache",
      ]
    )
  }

  @Test func `what is there is kept, and the rest is written beside it`() throws {
    try folder.write("mine", to: "my/fleet/templates/duplex-proxy.conf.mustache")

    let result = try begin()

    #expect(result.kept == ["templates/duplex-proxy.conf.mustache"])
    #expect(result.written.count == 3)
    #expect(
      try folder.read("my/fleet/templates/duplex-proxy.conf.mustache") == Array("mine".utf8)
    )
    #expect(
      try begin()
        == .init(
          written: [],
          kept: result.written.prefix(1) + [
            "templates/duplex-proxy.conf.mustache"
          ] + result.written.dropFirst()
        )
    )
  }
}
