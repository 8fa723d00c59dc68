import SystemPackage

import class Foundation.ProcessInfo

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

/// The machine that duplexctl runs on, as far as finding files and names goes.
package struct OperatorMachine: Sendable {
  /// `environ`, as a dictionary.
  package var environment: [String: String]
  /// The folder that relative paths on the command line are meant from.
  package var folder: String
  /// The running executable.
  package var executable: String

  package init(environment: [String: String], folder: String, executable: String) {
    self.environment = environment
    self.folder = folder
    self.executable = executable
  }

  /// This process's own.
  package static func current() -> OperatorMachine {
    let folder = withCString(getcwd(nil, 0)) ?? "/"
    let invoked = CommandLine.arguments.first ?? "duplexctl"
    let executable =
      withCString(realpath("/proc/self/exe", nil))
      ?? (invoked.contains("/") ? withCString(realpath(invoked, nil)) : nil) ?? invoked
    return OperatorMachine(
      environment: ProcessInfo.processInfo.environment,
      folder: folder,
      executable: executable
    )
  }

  /// The operator's home folder: `$HOME`, else what the user database says.
  package var home: String {
    if let home = environment["HOME"], !home.isEmpty { return home }
    guard let entry = getpwuid(getuid()), let folder = entry.pointee.pw_dir else { return "/" }
    return String(cString: folder)
  }

  /// The operator's login name.
  package var user: String {
    if let entry = getpwuid(getuid()), let name = entry.pointee.pw_name {
      return String(cString: name)
    }
    return environment["USER"] ?? environment["LOGNAME"] ?? "root"
  }

  /// The absolute path of what was written: `~` is the home folder, and what is relative is meant
  /// from `base`.
  package func absolute(_ written: String, from base: String) -> String {
    let path =
      written == "~" || written.hasPrefix("~/")
      ? FilePath(home).pushing(FilePath(String(written.dropFirst(2))))
      : FilePath(base).pushing(FilePath(written))
    return path.lexicallyNormalized().string
  }

  func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && (status.st_mode & S_IFMT) == S_IFDIR
  }

  /// The first address of a name, IPv4 before IPv6, as a literal.
  static func resolve(_ name: String) -> String? {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_flags = AI_ADDRCONFIG
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(name, nil, &hints, &found) == 0 else { return nil }
    defer { freeaddrinfo(found) }
    let entries = sequence(first: found) { $0?.pointee.ai_next }
      .prefix { $0 != nil }.compactMap { $0?.pointee }
    let best = entries.first { $0.ai_family == AF_INET } ?? entries.first
    return best.flatMap(literal)
  }

  private static func literal(_ entry: addrinfo) -> String? {
    var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
    let status = getnameinfo(
      entry.ai_addr,
      entry.ai_addrlen,
      &text,
      socklen_t(text.count),
      nil,
      0,
      NI_NUMERICHOST
    )
    guard status == 0 else { return nil }
    return text.withUnsafeBufferPointer { $0.baseAddress.map { String(cString: $0) } }
  }

  private static func withCString(_ text: UnsafeMutablePointer<CChar>?) -> String? {
    guard let text else { return nil }
    defer { free(text) }
    return String(cString: text)
  }
}
