/// What the decoder has to ask the operator's machine, so that it need not know one.
package struct Surroundings: Sendable {
  /// Who logs in where the inventory names nobody.
  package var user: String
  /// The absolute path of a file as the inventory writes it (`~/.ssh/id`, `keys/id`); nil where
  /// there is no such file.
  package var file: @Sendable (String) -> File
  /// The keys that are tried where the inventory names none.
  package var keys: [String]
  /// An IP literal for a host name; nil where it has none.
  package var address: @Sendable (String) -> String?

  package enum File: Sendable, Hashable {
    case at(String)
    case missing(String)
  }

  package init(
    user: String,
    keys: [String],
    file: @escaping @Sendable (String) -> File,
    address: @escaping @Sendable (String) -> String?
  ) {
    self.user = user
    self.keys = keys
    self.file = file
    self.address = address
  }
}
