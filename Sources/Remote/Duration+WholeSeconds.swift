extension Duration {
  /// Rounded up, and at least 1: a deadline as scripts count it.
  package var wholeSeconds: Int {
    max(1, Int(components.seconds) + (components.attoseconds > 0 ? 1 : 0))
  }
}
