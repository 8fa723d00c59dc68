package import Fleet
import SystemPackage

/// The three templates of which a host's files are made.
package struct HostTemplates: Sendable {
  package var configuration: Template
  package var runner: Template
  package var monit: Template

  package init(configuration: Template, runner: Template, monit: Template) {
    self.configuration = configuration
    self.runner = runner
    self.monit = monit
  }

  /// Their names in a folder of templates.
  package static let names = [
    "duplex-proxy.conf.mustache", "duplex-proxy-runner.mustache", "duplex-proxy.monit.mustache",
  ]

  /// Reads the three from a folder.
  package static func load(from folder: String) throws(FileProblem) -> HostTemplates {
    var templates: [Template] = []
    for name in names {
      let path = FilePath(folder).appending(name)
      let bytes = try WorkspaceFiles.read(path)
      templates.append(Template(file: path.string, text: String(decoding: bytes, as: UTF8.self)))
    }
    return HostTemplates(
      configuration: templates[0],
      runner: templates[1],
      monit: templates[2]
    )
  }

  /// The proxy's configuration, its runner and monit's file for a host, with where they go.
  package func files(for host: Host) throws(TemplateProblems) -> [HostFile] {
    let values = HostTemplateValues.values(for: host)
    // A copy of the template from before these keys would copy, and let in, all that they leave out.
    let needsFlags = host.routes.contains { !HostTemplateValues.flags(for: $0).isEmpty }
    if needsFlags, !configuration.names("copying") {
      throw TemplateProblems([
        TemplateProblem(file: configuration.file, line: 1, code: .leavesOutCopying)
      ])
    }
    let proxy = host.proxy
    return [
      HostFile(
        path: "\(proxy.directory)/duplex-proxy.conf",
        mode: 0o644,
        contents: Array(try configuration.render(values).utf8),
        description: "the proxy's configuration"
      ),
      HostFile(
        path: "\(proxy.directory)/duplex-proxy-runner",
        mode: 0o755,
        contents: Array(try runner.render(values).utf8),
        description: "the proxy's runner"
      ),
      HostFile(
        path: "\(proxy.monitDirectory)/\(proxy.service)",
        mode: 0o644,
        contents: Array(try monit.render(values).utf8),
        description: "monit's file for the proxy"
      ),
    ]
  }
}
