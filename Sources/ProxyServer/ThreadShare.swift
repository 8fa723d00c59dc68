/// What a thread of the proxy is: which one of how many, and how it is spoken to.
struct ThreadShare: Sendable {
  let index: Int
  let count: Int
  let mailbox: Mailbox
  /// The other threads, for the leader.
  let siblings: [Mailbox]
  /// For the other threads.
  let leader: Mailbox?
  let descriptors: DescriptorCount

  /// What a thread opens for itself: both ends of its mailbox, what its loop waits with, and the pipe of its passage.
  private static let ownDescriptors = 5

  /// One for each thread, the leader first; nil when the kernel gives no descriptors.
  static func all(_ count: Int, descriptors: DescriptorCount) -> [ThreadShare]? {
    let mailboxes = (0..<count).compactMap { _ in Mailbox() }
    guard mailboxes.count == count else { return nil }
    for _ in 0..<count * ownDescriptors { descriptors.opened() }
    return mailboxes.indices.map { index in
      ThreadShare(
        index: index,
        count: count,
        mailbox: mailboxes[index],
        siblings: index == 0 ? Array(mailboxes.dropFirst()) : [],
        leader: index == 0 ? nil : mailboxes[0],
        descriptors: descriptors
      )
    }
  }
}
