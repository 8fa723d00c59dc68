/// Who the worker runs as. Looked up in /etc/passwd and /etc/group themselves: the C library's own way loads
/// modules at run time, which a static executable cannot. Users from elsewhere (LDAP) are named by numbers.
package struct UserAccount: Sendable, Equatable {
  package var user: UInt32
  package var group: UInt32
  /// Supplementary groups, `group` among them.
  package var groups: [UInt32]

  package init(user: UInt32, group: UInt32, groups: [UInt32]) {
    self.user = user
    self.group = group
    self.groups = groups
  }

  package static func isWellFormed(_ text: String) -> Bool {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    return (1...2).contains(parts.count) && parts.allSatisfy { !$0.isEmpty && !$0.contains("\n") }
  }

  /// The account of NAME[:GROUP]; nil where a name is not in the files, or a number has no group beside it.
  package init?(_ text: String, passwd: String, group groupFile: String) {
    let parts = text.split(separator: ":").map(String.init)
    let users = Self.entries(passwd)
    let groups = Self.entries(groupFile)
    let entry = users.first { $0[0] == parts[0] && $0.count > 3 }
    guard let user = entry.flatMap({ UInt32($0[2]) }) ?? UInt32(parts[0]) else { return nil }
    var group = entry.flatMap { UInt32($0[3]) }
    if parts.count == 2 {
      let named = groups.first { $0[0] == parts[1] && $0.count > 2 }
      group = named.flatMap { UInt32($0[2]) } ?? UInt32(parts[1])
    }
    guard let group else { return nil }
    self.user = user
    self.group = group
    let memberships = groups.filter { fields in
      fields.count > 3 && fields[3].split(separator: ",").contains { $0 == parts[0] }
    }
    self.groups = [group] + memberships.compactMap { UInt32($0[2]) }.filter { $0 != group }
  }

  private static func entries(_ file: String) -> [[Substring]] {
    file.split(separator: "\n").map { $0.split(separator: ":", omittingEmptySubsequences: false) }
  }
}

extension UserAccount {
  static func write(_ account: UserAccount?, to fields: inout Fields) {
    let numbers = account.map { [$0.user, $0.group] + $0.groups } ?? []
    fields.append(numbers.count)
    for number in numbers { fields.append(number) }
  }

  static func read(from fields: inout Fields.Reader) throws(Fields.Malformed) -> UserAccount? {
    let numbers: [UInt32] = try fields.list { reader throws(Fields.Malformed) in
      try reader.number()
    }
    guard !numbers.isEmpty else { return nil }
    guard numbers.count > 2 else { throw Fields.Malformed() }
    return UserAccount(user: numbers[0], group: numbers[1], groups: Array(numbers[2...]))
  }
}
