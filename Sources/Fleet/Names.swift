// Fleet: the inventory as values. Who the machines are, which routes run through them, and what
// the operator chose. Decoding works on an already parsed tree; this room reads no file.

/// A name that is not just any string. Two of these side by side cannot be mixed up.
package protocol Name: Sendable, Hashable, Comparable, Codable, CustomStringConvertible,
  ExpressibleByStringLiteral
{
  var text: String { get }
  init(_ text: String)
}

extension Name {
  package init(stringLiteral text: String) { self.init(text) }
  package init(from decoder: any Decoder) throws {
    self.init(try decoder.singleValueContainer().decode(String.self))
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }

  package var description: String { text }
  package static func < (left: Self, right: Self) -> Bool { left.text < right.text }
}

/// An app server or a balancer, by the name the inventory gives it. Unique among both.
package struct MachineName: Name {
  package let text: String
  package init(_ text: String) { self.text = text }
}

/// A route of a host: one listening port of its proxy.
package struct RouteName: Name {
  package let text: String
  package init(_ text: String) { self.text = text }
}

/// A `backend` (or `listen`) section of haproxy.cfg.
package struct BackendName: Name {
  package let text: String
  package init(_ text: String) { self.text = text }
}

/// A `server` line of a backend.
package struct ServerName: Name {
  package let text: String
  package init(_ text: String) { self.text = text }
}
