import Remote

/// The shell of this room, in pieces. Measured against monit 5.33:
///
/// - An order that is given after `monit reload` and before monit has read its configuration again
///   is accepted (exit status 0) and lost. So a reload is proven: monit's listener is another thread
///   than before. And an order is given again twice a second until its effect is seen.
/// - The listener notices a reload at its next request, or up to 1 s later: so it is asked something.
/// - The listener is closed for a moment at each reload: not to be reached, or not to know the
///   service, passes by itself and is asked again.
/// - Without a daemon `monit start` starts the service by itself and nobody watches it: so the daemon
///   is looked for first.
/// - `monit stop` leaves the service "stop pending" for 2 s after its process is gone: that is enough,
///   where there was a process. Where there was none, as after a start that failed, the order may be
///   pending still, and a reload would drop it and let monit start the service again.
enum MonitScript {
  static func preamble(service: MonitService, seconds: Int, acts: [MonitAct]) -> String {
    let controlFile = ShellWord.quoting(service.controlFile)
    return """
      service=\(ShellWord.quoting(service.name)) pidfile=\(ShellWord.quoting(service.pidFile))
      monit() { command monit -c \(controlFile) "$@" 2>&1; }
      fail() { said=$2; printf '%s\\n' "$said" >&2; exit "$1"; }
      command -v monit >/dev/null || fail \(MonitFailure.notInstalled.rawValue) 'monit is not installed'
      \(ShellDeadline.starting(.seconds(seconds)))
      missed=0
      again() { ! late || fail \(MonitFailure.deadlinePassed.rawValue) "$said"; sleep 0.02; }
      \(findProcess)
      ask() {
        said=$(monit "$@") && return
        case $said in
        *'no service named'* | *' not found'*) missed=$((missed + 1)) ;;
        *'connection error'* | *'Cannot connect'*) ;;
        *'daemon is not running'*) fail \(MonitFailure.daemonNotRunning.rawValue) "$said" ;;
        *'interface is not enabled'*) fail \(MonitFailure.interfaceOff.rawValue) "$said" ;;
        *) fail \(MonitFailure.refused.rawValue) "$said" ;;
        esac
        [ "$missed" -lt 100 ] || fail \(MonitFailure.serviceUnknown.rawValue) "$said"
        return 1
      }
      \(findDaemon(controlFile: controlFile))
      alive "$daemon" || fail \(MonitFailure.daemonNotRunning.rawValue) 'the monit daemon is not running'
      """ + (acts.contains { $0 == .reload || $0 == .forget } ? "\n" + reload : "")
        + (acts.contains { $0 == .start || $0 == .stop } ? "\n" + order : "")
  }

  static func lines(_ act: MonitAct) -> String {
    switch act {
    case .reload:
      """
      reload; known() { ask status "$service" -B; }
      until reloaded && known; do known || true; again; done
      """
    case .forget:
      """
      reload; known() { missed=0; ask status "$service" -B; }
      gone() { ! known && case $said in *' not found'*) ;; *) false ;; esac; }
      until reloaded && gone; do known || true; again; done; missed=0
      """
    case .start:
      """
      started() { runs && watched; }
      order start started
      echo "running $pid"
      """
    case .stop:
      """
      runs && old=$pid || old=
      stopped() { ! alive "$old" && ! runs && if [ -n "$old" ]; then unwatched; else settled; fi; }
      order stop stopped
      echo stopped
      """
    }
  }

  /// `alive PID`: a process that is no zombie. `runs`: the service's is alive, and `pid` is its pid.
  static let findProcess = """
    alive() { case $1 in '' | *[!0-9]*) false ;; *) [ -e "/proc/$1/exe" ] ;; esac; }
    runs() { pid=; { read -r pid <"$pidfile"; } 2>/dev/null; alive "$pid"; }
    """

  /// Sets `daemon` to the pid in monit's own pid file, if that process is a monit.
  static func findDaemon(controlFile: String) -> String {
    """
    set='^[[:space:]]*set[[:space:]]\\{1,\\}pidfile[[:space:]]\\{1,\\}"\\{0,1\\}'
    own=$(sed -n "s/$set\\([^\\" #]*\\).*/\\1/p" \(controlFile))
    daemon= comm=
    { read -r daemon rest <"${own:-/run/monit.pid}" && read -r comm <"/proc/$daemon/comm"; } 2>/dev/null
    [ "$comm" = monit ] || daemon=
    """
  }

  private static let reload = """
    threads() { echo /proc/"$daemon"/task/*; }
    reload() {
      said=$(monit -t) || fail \(MonitFailure.configurationInvalid.rawValue) "$said"
      before=$(threads)
      said=$(monit reload) || fail \(MonitFailure.refused.rawValue) "$said"
    }
    reloaded() { [ "$(threads)" != "$before" ]; }
    """

  private static let order = """
    unwatched() { ask status "$service" -B && left; }
    settled() { ask status "$service" -B && case $said in *pending*) false ;; *) left ;; esac; }
    watched() { ask status "$service" -B && ! left; }
    left() { case $said in *'Not monitored'* | *'stop pending'*) ;; *) false ;; esac; }
    order() {
      turn=0
      while [ "$turn" = 0 ] || ! "$2"; do
        [ $((turn % 25)) != 0 ] || until ask "$1" "$service"; do again; done
        turn=$((turn + 1)); again
      done
    }
    """
}
