/// One line of haproxy.cfg and what takes its place: whole lines, without the LF that ends them
/// (a CR before it belongs to the line).
package struct LineEdit: Sendable, Hashable, Codable {
  /// From 1.
  package var line: Int
  package var before: [UInt8]
  package var after: [UInt8]

  package init(line: Int, before: [UInt8], after: [UInt8]) {
    self.line = line
    self.before = before
    self.after = after
  }

  package var inverse: LineEdit { LineEdit(line: line, before: after, after: before) }
}
