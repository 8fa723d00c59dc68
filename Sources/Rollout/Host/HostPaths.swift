package import Fleet

/// Where things are on a host, derived from its proxy settings in one place.
package struct HostPaths: Sendable, Hashable {
  package let directory: String
  /// The symlink that the runner starts.
  package let link: String
  package let configuration: String
  package let runner: String
  package let controlFile: String
  package let pidFile: String
  /// What files were before this tool overwrote them, for the way back.
  package let previous: String
  /// Where the runner keeps what the proxy says.
  package let log: String

  package init(_ proxy: ProxySettings) {
    directory = proxy.directory
    link = "\(proxy.directory)/duplex-proxy"
    configuration = "\(proxy.directory)/duplex-proxy.conf"
    runner = "\(proxy.directory)/duplex-proxy-runner"
    controlFile = "\(proxy.monitDirectory)/\(proxy.service)"
    pidFile = "\(proxy.runDirectory)/duplex-proxy.pid"
    log = "/var/log/\(proxy.service).log"
    previous = "\(proxy.directory)/previous"
  }

  /// The executable by its content: two versions never overwrite each other.
  package func executable(sha256: String) -> String {
    "\(directory)/duplex-proxy-\(sha256.prefix(12))"
  }
}
