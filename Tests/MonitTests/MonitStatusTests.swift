import Monit
import Testing

struct MonitStatusTests {
  @Test func `a running service is ok, and its process is known`() {
    let text = """
      Monit 5.33.0 uptime: 0m

      Process 'proxy'
        status                       OK
        monitoring status            Monitored
        monitoring mode              active
        on reboot                    nostart
        pid                          9173
        parent pid                   1
        uid                          0
        data collected               Wed, 25 Nov 2026 04:57:28

      """

    #expect(MonitStatus(parsing: text, of: "proxy") == MonitStatus(.ok, process: 9173))
  }

  @Test(
    arguments: [
      ("OK", MonitStatus(.ok)),
      ("Not monitored", MonitStatus(.notMonitored)),
      ("Initializing", MonitStatus(.initializing)),
      ("Initializing - start pending", MonitStatus(.initializing, pending: "start")),
      ("OK - stop pending", MonitStatus(.ok, pending: "stop")),
      ("Not monitored - restart pending", MonitStatus(.notMonitored, pending: "restart")),
      ("Does not exist", MonitStatus(.failed("Does not exist"))),
      ("Connection failed - pending", MonitStatus(.failed("Connection failed - pending"))),
      (
        "Execution failed | Does not exist - start pending",
        MonitStatus(.failed("Execution failed | Does not exist"), pending: "start")
      ),
    ])
  func `monit's words for a state`(words: String, status: MonitStatus) {
    let text = """
      Monit 5.33.0 uptime: 3d 4h 7m

      Process 'duplex-proxy'
        status                       \(words)
        monitoring status            Initializing
      """

    #expect(MonitStatus(parsing: text, of: "duplex-proxy") == status)
  }

  @Test func `a service monit has never heard of is unknown`() {
    #expect(
      MonitStatus(parsing: "Service 'proxy' not found\n", of: "proxy") == MonitStatus(.unknown)
    )
  }

  @Test(
    arguments: [
      "", "Monit: the monit daemon is not running", "Service 'other' not found",
      "Unix socket /run/monit.sock connection error -- Connection refused",
      "  status                       OK",
    ])
  func `what is no status is none`(text: String) {
    #expect(MonitStatus(parsing: text, of: "proxy") == nil)
  }
}
