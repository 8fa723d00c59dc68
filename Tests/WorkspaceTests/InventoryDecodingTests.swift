import Fleet
import Testing
import Workspace

struct InventoryDecodingTests {
  private static let short = """
    defaults:
      routes:
        web: {listen: 8080, primary: "127.0.0.1:81", shadow: "10.9.0.5:80", backend: app}
    balancers:
      lb1: {address: 10.0.0.10, backends: [app]}
    hosts:
      app1: {address: 10.0.0.21}
      app2:
        address: 10.0.0.22
    """

  @Test func `what is not written has its default`() throws {
    let inventory = try Sample.decode(Self.short)

    #expect(
      inventory
        == Inventory(
          hosts: [host("app1", "10.0.0.21"), host("app2", "10.0.0.22")],
          balancers: [
            Balancer(name: "lb1", ssh: ssh("10.0.0.10"), backends: ["app"])
          ],
          batch: .hosts(1)
        )
    )
  }

  @Test func `every setting is read, and a machine's own goes before the defaults`() throws {
    let inventory = try Sample.decode(
      """
      defaults:
        ssh: {user: deploy, port: 2222, keys: [a, b], agent: false, known-hosts: [k], sudo: true}
        timeouts: {connect: 5, command: 20s, start: 1m, health: 500ms, drain: 2m, ready: 9s, verify: 1s}
        batch: 25%
        proxy: {directory: /srv/duplex, user: www-data, group: www-data, admin-port: 9000}
        balancer: {config: /etc/lb.cfg, stats-socket: ~, apply: reload}
        routes:
          web: {listen: 8080, primary: "127.0.0.1:81", shadows: [staging:80, "[fd00::5]:80"], backend: app, sample: 12.5%, allow: 10.0.0.0/8}
          api: {listen: 8090, primary: "unix:/run/api.sock", shadow: "10.9.0.5:90", backend: api, direct-port: 90}
      balancers:
        lb1: {backends: app, reload: service haproxy reload}
        lb2: {backends: [app, api], config: /etc/lb2.cfg, apply: auto, master-socket: ~}
      hosts:
        app1:
          address: 10.0.0.21
          server: one
          ssh: {user: root, key: c, sudo: false}
          timeouts: {drain: 3s}
          proxy: {shadow-buffer: 64k, shadow-buffer-total: 1g}
          routes:
            web: {listen: "0.0.0.0:8081", shadow: "10.9.0.6:80", amplify: 3, rate: 200, breaker: off, allow: [10.0.0.10, "fd00::/8"], shadow-proxy-protocol: add}
            api: false
      """
    )

    let shared = SSHAddress(
      address: "lb1",
      port: 2222,
      user: "deploy",
      keys: ["/keys/a", "/keys/b"],
      agent: false,
      knownHosts: ["/keys/k"],
      sudo: true
    )
    let timeouts = Timeouts(
      connect: .seconds(5),
      command: .seconds(20),
      start: .seconds(60),
      health: .milliseconds(500),
      drain: .seconds(120),
      ready: .seconds(9),
      verify: .seconds(1)
    )
    var (second, own, ownTimeouts) = (shared, shared, timeouts)
    second.address = "lb2"
    (own.address, own.user, own.keys, own.sudo) = ("10.0.0.21", "root", ["/keys/c"], false)
    ownTimeouts.drain = .seconds(3)
    #expect(
      inventory
        == Inventory(
          hosts: [
            Host(
              name: "app1",
              ssh: own,
              routes: [
                Route(
                  name: "web",
                  listenAddress: "0.0.0.0",
                  listenPort: 8081,
                  primary: .tcp(host: "127.0.0.1", port: 81),
                  shadows: [.tcp(host: "10.9.0.6", port: 80)],
                  backend: "app",
                  server: "one",
                  directPort: 81,
                  copying: Copying(
                    sample: .init(written: "12.5%"),
                    amplify: 3,
                    rate: 200,
                    breaker: .off
                  ),
                  allow: ["10.0.0.10", "fd00::/8"].compactMap(AddressRange.init(written:)),
                  shadowProxyProtocol: .add
                )
              ],
              proxy: ProxySettings(
                directory: "/srv/duplex",
                user: "www-data",
                group: "www-data",
                adminPort: 9000,
                shadowBuffer: 64 << 10,
                totalShadowBuffer: 1 << 30
              ),
              timeouts: ownTimeouts
            )
          ],
          balancers: [
            Balancer(
              name: "lb1",
              ssh: shared,
              backends: ["app"],
              configuration: "/etc/lb.cfg",
              statsSocket: nil,
              applying: .reload,
              reloadCommand: "service haproxy reload",
              timeouts: timeouts
            ),
            Balancer(
              name: "lb2",
              ssh: second,
              backends: ["app", "api"],
              configuration: "/etc/lb2.cfg",
              statsSocket: nil,
              masterSocket: nil,
              applying: .automatic,
              timeouts: timeouts
            ),
          ],
          batch: .percent(25)
        )
    )
  }

  @Test(arguments: ["example.yml", "lab.yml"])
  func `an inventory that is shipped has nothing wrong in it`(name: String) throws {
    let text = try RepositoryFile.text("inventories/\(name)")

    #expect(try Sample.decode(text).hosts.map(\.name) == ["app1", "app2", "app3"])
  }

  private func ssh(_ address: String) -> SSHAddress {
    SSHAddress(
      address: address,
      user: "ops",
      keys: ["/keys/id_ed25519"],
      knownHosts: ["/keys/~/.ssh/known_hosts", "/keys//etc/ssh/ssh_known_hosts"]
    )
  }

  private func host(_ name: String, _ address: String) -> Host {
    Host(
      name: MachineName(name),
      ssh: ssh(address),
      routes: [
        Route(
          name: "web",
          listenAddress: address,
          listenPort: 8080,
          primary: .tcp(host: "127.0.0.1", port: 81),
          shadows: [.tcp(host: "10.9.0.5", port: 80)],
          backend: "app",
          server: ServerName(name),
          directPort: 81
        )
      ]
    )
  }
}
