// swift-tools-version: 6.2
import PackageDescription

/// The settings every one of our own targets is held to.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
]

/// A library of ours: a room of the house (docs/design.md names them and what each may import).
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// A short `@main` file around its one library.
func program(_ name: String, _ library: Target.Dependency) -> Target {
  .executableTarget(name: name, dependencies: [library], swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name,
    dependencies: dependencies + ["TestSupport"],
    exclude: [],
    swiftSettings: strict
  )
}

let argumentParser = Target.Dependency.product(
  name: "ArgumentParser",
  package: "swift-argument-parser"
)
let yams = Target.Dependency.product(name: "Yams", package: "Yams")
let mustache = Target.Dependency.product(name: "Mustache", package: "swift-mustache")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
  name: "duplexctl",
  products: [
    .executable(name: "duplexctl", targets: ["duplexctl"]),
    .executable(name: "duplex-proxy", targets: ["duplex-proxy"]),
    .executable(name: "duplex-lab", targets: ["duplex-lab"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    .package(url: "https://github.com/hummingbird-project/swift-mustache", from: "2.1.1"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
  ],
  targets: [
    // Pure rooms: values in, values out.
    room("Fleet"),
    room("Remote"),
    room("HAProxy", ["Remote"]),
    room("Monit", ["Remote"]),
    room("Rollout", ["Fleet", "Remote", "HAProxy", "Monit"]),
    room("Duplex"),

    // Doors to C.
    .systemLibrary(
      name: "CLibSSH2",
      pkgConfig: "libssh2",
      providers: [.apt(["libssh2-1-dev"])]
    ),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(
      name: "CURing",
      pkgConfig: "liburing",
      providers: [.apt(["liburing-dev"])]
    ),
    .target(name: "CLinux"),

    // Rooms that touch the world.
    room("SSH", ["Remote", "CLibSSH2", "COpenSSL", system, logging]),
    room("Workspace", ["Fleet", "Rollout", yams, mustache, "COpenSSL", system]),
    room("Engine", ["Fleet", "Remote", "HAProxy", "Monit", "Rollout"]),
    room("ProxyServer", ["Duplex", "CURing", "CLinux"]),
    room(
      "Commands",
      [
        "Fleet", "Remote", "HAProxy", "Monit", "Rollout", "SSH", "Workspace", "Engine",
        argumentParser, logging, system,
      ]
    ),
    room("Lab", ["CLinux", subprocess, system, histogram, argumentParser]),

    // Programs.
    program("duplexctl", "Commands"),
    program("duplex-proxy", "ProxyServer"),
    program("duplex-lab", "Lab"),

    // The benchmarks: `make bench` builds and runs them; nothing of them is shipped.
    .target(
      name: "Bench",
      dependencies: ["CLinux", histogram, argumentParser],
      path: "Benchmarks/Bench",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "duplex-bench",
      dependencies: ["Bench"],
      path: "Benchmarks/duplex-bench",
      swiftSettings: strict
    ),

    // Tests mirror the rooms; RolloutLabTests run the programs against the lab.
    .target(
      name: "TestSupport",
      dependencies: ["Remote", system],
      path: "Tests/TestSupport",
      swiftSettings: strict
    ),
    .target(
      name: "FuzzTargets",
      dependencies: ["Duplex", "ProxyServer"],
      path: "Tests/FuzzTargets",
      swiftSettings: strict
    ),
    .executableTarget(
      name: "unready-proxy",
      dependencies: ["ProxyServer"],
      path: "Tests/UnreadyProxy",
      swiftSettings: strict
    ),
    .executableTarget(name: "fence-probe", dependencies: ["CLinux"], path: "Tests/FenceProbe"),
    tests("FleetTests", ["Fleet"]),
    tests("RemoteTests", ["Remote"]),
    tests("HAProxyTests", ["HAProxy", "Remote"]),
    tests("MonitTests", ["Monit", "Remote"]),
    tests("RolloutTests", ["Rollout", "Fleet", "Remote", "HAProxy", "Monit"]),
    tests("DuplexTests", ["Duplex"]),
    tests("FuzzTests", ["FuzzTargets"]),
    tests("SSHTests", ["SSH", "Remote", system, logging]),
    tests("WorkspaceTests", ["Workspace", "Fleet", "Rollout", system]),
    tests("EngineTests", ["Engine", "Rollout", "Fleet", "Remote", "HAProxy", "Monit"]),
    tests(
      "ProxyServerTests",
      ["ProxyServer", "Duplex", "CLinux", "duplex-proxy", "unready-proxy", "fence-probe"]
    ),
    tests(
      "CommandsTests",
      ["Commands", "duplexctl", "SSH", "Fleet", "Remote", "Rollout", "Workspace", system]
    ),
    tests("LabTests", ["Lab", "duplex-lab"]),
    tests("BenchTests", ["Bench"]),
    tests("RolloutLabTests", ["duplexctl", "duplex-lab"]),
    tests("ArchitectureTests", []),
  ]
)

// What `make sanitize` and `make fuzz` build with flags of their own: the proxy with its tests, and nothing else.
if Context.environment["DUPLEX_PROXY_ONLY"] != nil {
  let proxy = [
    "Duplex", "CURing", "CLinux", "ProxyServer", "duplex-proxy", "Remote", "TestSupport",
    "FuzzTargets", "DuplexTests", "ProxyServerTests", "FuzzTests", "unready-proxy", "fence-probe",
  ]
  package.targets.removeAll { !proxy.contains($0.name) }
  package.products.removeAll { $0.name != "duplex-proxy" }
}

// It links with libFuzzer alone.
if Context.environment["DUPLEX_FUZZ"] != nil {
  package.targets.append(
    .executableTarget(
      name: "duplex-fuzz",
      dependencies: ["FuzzTargets"],
      path: "Tests/Fuzzer",
      swiftSettings: strict
    )
  )
}
