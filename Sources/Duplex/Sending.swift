/// What became of bytes that were given to a socket.
package enum Sending: Sendable, Equatable {
  /// The kernel took them, but for this many, which are kept until the socket takes them.
  case taken(owed: Int)
  /// They are on their way to the kernel. How many of all that was under way to the socket are owed will be settled
  /// before anything else is heard of it.
  case underway
}
