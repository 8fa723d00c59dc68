import Fleet
import HAProxy
import Monit
import Remote
import Rollout

extension Sentences {
  /// What was found, and what to do about it.
  static func finding(_ kind: Finding.Kind) -> String {
    switch kind {
    case .unreachable(let error): remote(error)
    case .unreadable(let said): "the survey could not be read. It said: \(said)"
    case .sudoRefused(let said):
      "`sudo -n` was refused; allow it without a password for this user. It said: \(said)"
    case .notRoot(sudo: true):
      "`sudo -n` gives no root rights; allow it without a password for this user"
    case .notRoot(sudo: false): "the user is not root; set ssh.sudo: true, or log in as root"
    case .wrongArchitecture(let host, let executable):
      "the machine is \(host), but the bundled duplex-proxy is for \(executable)"
    case .userMissing(let user): "there is no user \(user); create it, or set proxy.user"
    case .groupMissing(let group): "there is no group \(group); create it, or set proxy.group"
    case .toolsMissing(let tools): "missing on the machine: \(list(tools))"
    case .portTaken(let port, let program, let pid):
      "port \(port) is taken by \(program ?? "another program")"
        + (pid.map { " (pid \($0))" } ?? "") + "; choose another listen or admin-port"
    case .primaryNotListening(let endpoint): "nothing listens at the primary, \(endpoint)"
    case .proxyNotRunning:
      "no proxy runs there; `duplexctl rollout enable` starts one of this release"
    case .balancersNotAllowed(let route, let balancers):
      "allow of route \(route) does not have the address of \(list(balancers)): if HAProxy connects from "
        + "there, the proxy resets every connection. Add the address"
    case .shadowIsProduction(let route, let shadow, let machine):
      "the shadow \(shadow) of route \(route) is at \(machine), which takes production's requests: every request "
        + "would be done again there, and copied again if it comes to a proxy. Is that the new version's address?"
    case .sampleOfBalancer(let route, let sample):
      "sample: \(sample) of route \(route) goes by the address that connects, which is the balancer's: all that "
        + "comes through one balancer is copied, or nothing of it. To copy less, set rate"
    case .monit(let problem): monit(problem)
    case .trafficUnseen:
      "it cannot be seen where HAProxy sends its requests, so nobody will notice if a proxy no longer "
        + "takes them; `duplexctl check` says why"
    case .haproxyNotRunning: "HAProxy does not run, or another configuration than `config` names"
    case .noSocketClient:
      "it has nothing to speak to HAProxy's sockets with: apt-get install socat (or perl, python3)"
    case .configurationInvalid(let said):
      "haproxy.cfg as it is now does not pass `haproxy -c`. It said: \(said)"
    case .unloadedEdits(let path):
      "\(path) was changed by somebody after HAProxy started, and not loaded yet: "
        + "reload HAProxy, or take the change back"
    case .statsSocketUnusable(let path, let reason):
      "the stats socket \(path ?? "") cannot be used with level admin (\(reason)); add "
        + "`stats socket /run/haproxy/admin.sock mode 660 level admin`, or set apply: reload"
    case .reloadImpossible(let reason):
      "HAProxy cannot be reloaded so that one knows it worked: \(reason)"
    case .reloadMayLoseRequests(let options):
      "edits are applied by reloads, which may lose requests of keep-alive clients: "
        + "add \(list(options.map { "`\($0)`" })), or a stats socket of level admin"
    case .serverRefused(let id, let refusal):
      "\(id)\(refusal.line.map { ", line \($0)" } ?? ""): \(edit(refusal))"
    case .serverNotRunning(let id):
      "\(id) stands in the inventory, but the running HAProxy has no such server"
    case .serverPortUnexpected(let id, let port, let direct, let listen, let line):
      "\(id), line \(line), is at port \(port.map(String.init) ?? "none"); expected \(direct) "
        + "(direct-port) or \(listen) (listen)"
    case .serverAddressDiffers(let id, let address, let listen, let line):
      "\(id), line \(line), is at \(address), but the proxy would listen on \(listen): "
        + "is the host's address right? If so, write listen: \(address):PORT"
    case .shadowUnreachable(let shadow):
      "the shadow \(shadow) takes no connection from here: clients will not notice, but it will get "
        + "nothing until it does"
    case .serversUnseen(let stats, let master):
      "no socket says what HAProxy runs: stats-socket: \(stats); master-socket: \(master). Give it "
        + "`stats socket /run/haproxy/admin.sock mode 660 level admin`, or start it with -S"
    case .serverTakenOut(let id, let line):
      "\(id), line \(line), was taken out of service by duplexctl (`haproxy remove`, or a run that was "
        + "cut off) and will be put back into service"
    case .serverDrained(let id, let host, let state):
      "\(id) is \(state) and has no mark of ours: somebody took it out, or a run was cut off. "
        + "To put it back: duplexctl rollout rollback \(host)"
    case .lastServerUp(let id):
      "\(id) cannot be taken out: no other server of \(id.backend) would be up. Bring one up first (if "
        + "duplexctl took it out: duplexctl haproxy add HOST), or take fewer at once (--batch, --limit)"
    case .checkBypassesProxy(let id, let port, let line):
      "the health check of \(id), line \(line), goes to port \(port), so HAProxy will not notice "
        + "a dead proxy"
    case .checkEndsAtProxy(let backend):
      "backend \(backend) has no `option httpchk` or the like: a check that only connects ends at the proxy, so "
        + "HAProxy will not notice that a primary behind it is dead"
    }
  }

  static func remote(_ error: RemoteError) -> String {
    switch error.code {
    case .nameNotResolved: "the name cannot be resolved: \(error.detail)"
    case .unreachable: "it cannot be reached: \(error.detail)"
    case .noCommonAlgorithm: "SSH finds no common algorithm: \(error.detail)"
    case .hostKeyUnknown(let fingerprint):
      "its host key is not known: \(fingerprint) (\(error.detail)). Compare it with what the "
        + "machine's console says (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub); if it is "
        + "right, log in once by ssh, or add what ssh-keyscan prints to one of these files"
    case .hostKeyChanged(let fingerprint, let file, let line):
      "its host key is not the known one (\(file):\(line)), but \(fingerprint). Somebody may be "
        + "in between. If the machine was set up anew, replace that line"
    case .hostKeyRevoked(let fingerprint, let file, let line):
      "its host key \(fingerprint) is revoked (\(file):\(line))"
    case .hostCertificatesUnsupported(let file, let line):
      "only \(file):\(line) (@cert-authority) would vouch for it; host certificates are not "
        + "supported: add its own key"
    case .authenticationFailed: "it refuses the login: \(error.detail)"
    case .timedOut: "no answer in time: \(error.detail)"
    case .connectionLost: "the connection was lost: \(error.detail)"
    case .closed: "the connection is closed"
    }
  }

  private static func monit(_ problem: MonitProblem) -> String {
    switch problem {
    case .notInstalled: "monit is not installed: apt-get install monit"
    case .daemonNotRunning: "monit does not run: start it"
    case .interfaceOff:
      "monit takes no commands: add `set httpd unixsocket /run/monit.sock` and "
        + "`allow USER:PASSWORD` to its configuration, and restart it"
    case .interfaceUnreachable(let said): "monit's interface does not answer. It said: \(said)"
    case .configurationInvalid(let said): "`monit -t` fails. It said: \(said)"
    case .notIncluded(let path, let includes):
      "monit's configuration does not include \(path) (it includes \(list(includes))); set "
        + "proxy.monit-directory"
    }
  }
}
