package import Remote

extension HAProxyProcess {
  /// Every server's state and counters, as `ServerState.reading` takes them.
  package func readServers() -> RemoteCommand {
    RemoteCommand(
      """
      \(stats)
      \(Self.readingServers)
      """,
      timeout: timeout
    )
  }

  /// As `readServers`, once every server has got a request; a server of a backend that has had none
  /// for as long as the deadline is not waited for. `ServerState.busyServers` says which got some.
  package func watchRequests(_ servers: [ServerID], deadline: Duration) -> RemoteCommand {
    RemoteCommand(
      """
      \(stats)
      counters() {
        stats 'show stat -1 6 -1' | sed 's/"[^"]*"//g' | awk -F, '
          sub(/^# /, "") { for (i = 1; i <= NF; i++) at[$i] = i; next }
          at["stot"] { print $1 "/" $2, $at["stot"], $at["lastsess"] }'
      }
      idle() {
        printf '%s\\n%s\\n' "$first" "$now" | awk -v limit=\(deadline.wholeSeconds) -v servers=\
      \(ShellWord.quoting(servers.map(\.description).joined(separator: " "))) '
          !($1 in before) { before[$1] = $2; next }
          { grown[$1] = $2 - before[$1]; last[$1] = $3 }
          END {
            n = split(servers, names, " ")
            for (i = 1; i <= n; i++) {
              backend = names[i]; sub(/\\/[^\\/]*$/, "/BACKEND", backend)
              if (grown[names[i]] > 0) print "busy", names[i]
              else if (last[backend] >= 0 && last[backend] <= limit) waiting = 1
            }
            exit waiting
          }'
      }
      \(ShellDeadline.starting(deadline))
      first=$(counters)
      while now=$(counters); ! busy=$(idle) && ! late; do sleep 0.01; done
      [ -z "$busy" ] || printf '%s\\n' "$busy"
      \(Self.readingServers)
      """,
      timeout: deadline + timeout
    )
  }

  /// No new requests to the servers, then waits until none of their sessions is left. Counters that
  /// cannot be read are no proof of that: it gives up then.
  ///
  /// Idle connections that HAProxy keeps are closed by the maintenance state that follows.
  package func drain(_ servers: [ServerID], deadline: Duration) -> RemoteCommand {
    RemoteCommand(
      """
      \(stats)
      \(order)
      for server in \(ShellWord.line(servers.map(\.description))); do
        order "set server $server state drain"
      done
      sessions() {
        stats 'show stat -1 4 -1' | sed 's/"[^"]*"//g' | awk -F, -v servers=\
      \(ShellWord.quoting(servers.map(\.description).joined(separator: " "))) '
          BEGIN { unseen = split(servers, names, " "); for (n in names) wanted[names[n]] }
          sub(/^# /, "") { for (i = 1; i <= NF; i++) at[$i] = i; next }
          ($1 "/" $2) in wanted {
            unseen--
            sessions = $at["scur"] + $at["qcur"]; used = $at["used_conn_cur"]
            left += sessions > used ? sessions : used
          }
          END { if (unseen > 0) exit 1; print left + 0 }'
      }
      \(ShellDeadline.starting(deadline))
      while left=$(sessions) || { echo "HAProxy does not say what sessions are left" >&2; exit \
      \(HAProxyFailure.runtimeRefused.rawValue); }; [ "$left" -gt 0 ]; do
        if late; then
          echo "$left sessions left" >&2
          exit \(HAProxyFailure.sessionsLeft.rawValue)
        fi
        sleep 0.02
      done
      """,
      timeout: deadline + timeout
    )
  }

  /// Back in service without any edit of the file.
  package func undrain(_ servers: [ServerID], deadline: Duration) -> RemoteCommand {
    RemoteCommand(
      ([stats, order, field] + servers.map { lines(for: .ready($0, deadline: deadline)) })
        .joined(separator: "\n"),
      timeout: deadline + timeout
    )
  }

  /// Succeeds when the balancer can connect to every target, and the connections to those that choose their clients stay
  /// open, or bring an answer. Names the targets for which that is not so.
  package func probe(_ targets: [ProbeTarget], deadline: Duration) -> RemoteCommand {
    let seconds = deadline.wholeSeconds
    let calls = targets.map { target in
      "try \(target.choosesClients ? "stay" : "reach") \(ShellWord.line([target.host, String(target.port), target.description])) &"
    }
    return RemoteCommand(
      """
      reach() { \(client.connecting(seconds: seconds)); }
      stay() { \(client.staying(seconds: seconds)); }
      try() { "$1" "$2" "$3" || echo "$4"; }
      # All at once: the answer is there when the last of them has closed it.
      deaf=$(
      \(calls.joined(separator: "\n"))
      )
      [ -z "$deaf" ] || { echo "no connection, or none that stays open, to" $deaf >&2; exit \
      \(HAProxyFailure.notReachable.rawValue); }
      """,
      timeout: deadline * targets.count + timeout
    )
  }

  /// Makes HAProxy load the file, and waits for the proof: a new worker, and no failed reload.
  ///
  /// Refused where the file is not the one expected: what others changed is never loaded by us.
  package func reload(
    expecting sha256: String,
    custom: String?,
    deadline: Duration
  ) -> RemoteCommand {
    RemoteCommand(
      """
      [ "$(sha256sum <\(ShellWord.quoting(configuration)) | cut -c1-64)" = \(sha256) ] ||
        exit \(HAProxyFailure.fileChanged.rawValue)
      \(master)
      worker() { master 'show proc' | awk '/^# workers/ { on = 1; next } /^#/ { on = 0 }
        on && NF { pid = $1 } END { print pid }'; }
      # How often a reload has failed since the last that did not.
      failures() { master 'show proc' | sed -n 's/.*\\[failed: \\([0-9]*\\)\\].*/\\1/p'; }
      before=$(worker) failed=$(failures)
      [ -n "$before" ] || {
        echo "the master does not answer, so a reload could not be proven" >&2
        exit \(HAProxyFailure.reloadFailed.rawValue)
      }
      \(custom ?? "kill -USR2 \(masterPID)") || exit \(HAProxyFailure.reloadFailed.rawValue)
      \(ShellDeadline.starting(deadline))
      until late; do
        # While it loads itself anew, the master does not answer.
        now=$(worker 2>/dev/null)
        [ -z "$now" ] || [ "$now" = "$before" ] || exit 0
        now=$(failures 2>/dev/null)
        [ "${now:-0}" -le "${failed:-0}" ] || {
          echo "HAProxy says that the reload failed" >&2
          break
        }
        sleep 0.02
      done
      exit \(HAProxyFailure.reloadFailed.rawValue)
      """,
      timeout: deadline + timeout
    )
  }

  /// Waits until the master says that no worker of before a reload serves connections any more.
  ///
  /// A master that does not answer, as while it loads itself anew, is asked again.
  package func awaitOldWorkers(deadline: Duration) -> RemoteCommand {
    RemoteCommand(
      """
      \(master)
      \(ShellDeadline.starting(deadline))
      while old=$(master 'show proc' 2>/dev/null | awk '/^# workers/ { known = 1 }
        /^# old workers/ { on = 1; next } /^#/ { on = 0 } on && NF { printf "%s ", $1 }
        END { if (!known) print "unknown, the master does not answer" }'); [ -n "$old" ]; do
        if late; then
          echo "old workers: $old" >&2
          exit \(HAProxyFailure.oldWorkersLeft.rawValue)
        fi
        sleep 0.05
      done
      """,
      timeout: deadline + timeout
    )
  }
}

// MARK: - What scripts are made of

extension HAProxyProcess {
  /// Asks the worker: on its own socket, else through the master.
  var stats: String {
    if let statsSocket { return "stats() { \(client.asking(statsSocket)); }" }
    guard masterSocket != nil else { return "stats() { :; }" }
    return "\(master)\nstats() { master \"@1 $1\"; }"
  }

  var master: String {
    "master() { \(client.asking(masterSocket ?? "/run/haproxy-master.sock")); }"
  }

  /// Gives an order; anything but silence and the notes on addresses is a refusal.
  var order: String {
    """
    order() {
      said=$(stats "$1")
      case $said in
        '' | *"port changed from"* | *"no need to change the port"*) ;;
        "No such"*) echo "$1: $said" >&2; exit \(HAProxyFailure.noSuchServer.rawValue) ;;
        *) echo "$1: $said" >&2; exit \(HAProxyFailure.runtimeRefused.rawValue) ;;
      esac
    }
    """
  }

  /// `field BACKEND SERVER N`: the Nth column of `show servers state`.
  var field: String {
    """
    field() { stats "show servers state $1" | awk -v s="$2" -v n="$3" '$4 == s { print $n }'; }
    """
  }

  static let readingServers = """
    stats 'show servers state' | sed 's/^/state /'
    stats 'show stat -1 4 -1' | sed 's/^/stat /'
    """

  /// The lines that make one change and prove it.
  func lines(for change: RuntimeChange) -> String {
    switch change {
    case .maintenance(let id):
      """
      order \(ShellWord.quoting("set server \(id) state maint"))
      [ $(($(field \(words(id)) 7) & 1)) = 1 ] || exit \(HAProxyFailure.notReady.rawValue)
      """
    case .address(let id, let port):
      """
      order "set server \(id) addr $(field \(words(id)) 5) port \(port)"
      [ "$(field \(words(id)) 19)" = \(port) ] || exit \(HAProxyFailure.notReady.rawValue)
      """
    case .inRotation(let id):
      """
      order \(ShellWord.quoting("set server \(id) state ready"))
      [ $(($(field \(words(id)) 7) & ~4)) = 0 ] || exit \(HAProxyFailure.notReady.rawValue)
      """
    case .ready(let id, let deadline):
      """
      order \(ShellWord.quoting("set server \(id) state ready"))
      \(ShellDeadline.starting(deadline))
      while [ "$(field \(words(id)) 6) $(($(field \(words(id)) 7) & ~4))" != "2 0" ]; do
        if late; then
          echo "\(id) is not up" >&2
          exit \(HAProxyFailure.notReady.rawValue)
        fi
        sleep 0.02
      done
      """
    }
  }

  private func words(_ id: ServerID) -> String { ShellWord.line([id.backend, id.server]) }
}
