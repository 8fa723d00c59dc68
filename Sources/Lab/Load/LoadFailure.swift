/// How a request failed. Each class is counted apart, and every one of them is a failure.
enum LoadFailure: String, Sendable, Hashable, Codable, CaseIterable {
  /// The connection was refused.
  case refused
  /// The connection was not there in time.
  case connectTimeout
  /// It failed in another way.
  case connectError
  /// A new connection was reset before the first byte of the response.
  case resetOnFresh
  /// A new connection was closed before the first byte of the response.
  case closedOnFresh
  /// As `resetOnFresh`, on a connection that had served a request before.
  case resetOnReused
  case closedOnReused
  /// The connection ended within the response.
  case midResponse
  /// The response was not whole in time.
  case timeout
  case wrongStatus
  case wrongBody
  /// Not HTTP, or more than one response.
  case malformed
}

/// What a load is asked to do.
struct LoadOrder: Sendable {
  var host: String
  var port: Int
  var path = "/"
  var connections = 1
  var usesNewConnections = false
  /// Requests a second over all connections; nil: as fast as answers come.
  var rate: Double?
  var thinking = Duration.zero
  var timeout = Duration.seconds(5)
  /// Nil: until told to stop.
  var length: Duration?
  var expectedStatus = 200
  /// What every body begins with; nil: anything.
  var expectedBody: [UInt8]?
  /// What every body is, to the last byte, one of these; empty: anything.
  var expectedBodies: Set<[UInt8]> = []

  /// The request's bytes.
  var request: [UInt8] {
    let connection = usesNewConnections ? "Connection: close\r\n" : ""
    return Array("GET \(path) HTTP/1.1\r\nHost: \(host)\r\n\(connection)\r\n".utf8)
  }
}
