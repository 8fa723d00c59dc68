/// What `body` gives, or nil where its connection was lost: peers in a torture test lose theirs, and
/// what they then did not send or get is what the test looks at.
func unlessLost<Result>(_ body: () throws -> Result) -> Result? {
  do {
    return try body()
  } catch {
    return nil
  }
}
