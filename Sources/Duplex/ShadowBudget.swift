/// How many bytes shadows may lag behind their clients: for one connection, and for all of them together.
package struct ShadowBudget: Sendable, Equatable {
  package private(set) var perConnection: Int
  package private(set) var total: Int
  /// Bytes queued for all shadows now.
  package private(set) var used = 0

  package init(perConnection: Int, total: Int) {
    self.perConnection = perConnection
    self.total = total
  }

  /// Other bounds from now on. What is queued stays queued, also beyond them.
  package mutating func change(perConnection: Int, total: Int) {
    self.perConnection = perConnection
    self.total = total
  }

  /// Takes bytes that a queue now holds.
  mutating func take(_ count: Int) { used += count }

  /// Gives back bytes that a queue no longer holds.
  mutating func giveBack(_ count: Int) { used -= count }
}
