/// A deadline in a script that waits, by a clock that nobody sets: `/proc/uptime`, proc(5).
package enum ShellDeadline {
  /// Lines that start the time; from then on `late` succeeds when it is over.
  package static func starting(_ duration: Duration) -> String {
    """
    uptime() { read -r up rest </proc/uptime; up=${up%.*}${up#*.}; }
    uptime; end=$((up + \(duration.wholeSeconds * 100)))
    late() { uptime; [ "$up" -ge "$end" ]; }
    """
  }
}
