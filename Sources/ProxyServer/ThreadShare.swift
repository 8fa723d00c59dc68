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

  /// One for each thread, the leader first; nil when the kernel gives no descriptors.
  static func all(_ count: Int, descriptors: DescriptorCount) -> [ThreadShare]? {
    let mailboxes = (0..<count).compactMap { _ in Mailbox() }
    guard mailboxes.count == count else { return nil }
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
