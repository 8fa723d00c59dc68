/// A route with the places where its parts were written, for the checks that compare routes.
struct DecodedRoute {
  var route: Route
  var listen: Node
  var primary: Node
  var shadows: [Node]
  var server: Node
  var directPort: Node
}

/// Reads one route of a host.
struct RouteDecoding {
  static let keys = [
    "listen", "primary", "shadow", "shadows", "backend", "server", "direct-port", "sample",
    "amplify", "rate", "breaker", "allow", "shadow-proxy-protocol",
  ]
  static let synonyms = [["shadow", "shadows"]]

  let surroundings: Surroundings
  /// Those that balancers have, each once; empty where no balancer could be read.
  let backends: [BackendName]
  /// The host's address, as written.
  let address: String
  /// The server name of the host's routes that name none.
  let server: ServerName
  /// Where that name was written.
  let serverNode: Node

  /// The route; nil where a part that it cannot be without is missing or wrong, which is reported.
  func route(_ node: Node, named name: String, _ collector: inout ProblemCollector)
    -> DecodedRoute?
  {
    let reader = MappingReader(node, keys: Self.keys, &collector)
    let listen = self.listen(reader, &collector)
    let primary = reader.required("primary", .endpoint, &collector)
      .flatMap { literal($0, at: reader.node("primary")!, &collector) }
    let shadows = self.shadows(reader, &collector)
    let backend = reader.required("backend", .sectionName, &collector).map { BackendName($0) }
    // Without a readable balancer, that is the problem to solve first.
    if let backend, !backends.isEmpty, !backends.contains(backend) {
      collector.report(
        .backendWithoutBalancer(backend, known: backends),
        at: reader.node("backend") ?? node
      )
    }
    let server = reader.value("server", .sectionName, &collector).map { ServerName($0) }
    let directPort = self.directPort(reader, primary: primary, &collector)
    let copying = self.copying(reader, shadows: shadows?.count ?? 0, &collector)
    let allow = self.allow(reader, &collector)
    let shadowProxyProtocol = reader.value(
      "shadow-proxy-protocol",
      .shadowProxyProtocol,
      &collector
    )
    guard let listen, let primary, let shadows, let backend, let directPort else { return nil }

    return DecodedRoute(
      route: Route(
        name: RouteName(name),
        listenAddress: listen.address,
        listenPort: listen.port,
        primary: primary,
        shadows: shadows.map(\.endpoint),
        backend: backend,
        server: server ?? self.server,
        directPort: directPort,
        copying: copying,
        allow: allow,
        shadowProxyProtocol: shadowProxyProtocol ?? .keep
      ),
      listen: reader.node("listen") ?? node,
      primary: reader.node("primary") ?? node,
      shadows: shadows.map(\.node),
      server: reader.node("server") ?? serverNode,
      directPort: reader.node("direct-port") ?? reader.node("primary") ?? node
    )
  }

  private func listen(_ reader: MappingReader, _ collector: inout ProblemCollector)
    -> (address: String, port: Int)?
  {
    let expected = "a port of 1 to 65535, or an IP address and port such as `10.0.0.21:8080`"
    guard let node = reader.node("listen") else {
      reader.reportMissing("listen", expected: expected, &collector)
      return nil
    }
    if let port = node.text.flatMap(Format<Int>.port.read) {
      if IPLiteral.isValid(address) { return (address, port) }
      collector.report(.listenNeedsAddress(address: address), at: node)
      return nil
    }
    switch node.text.flatMap(Format<Endpoint>.endpoint.read) {
    case .unix:
      collector.report(.listensOnUnixSocket, at: node)
    case .tcp(let host, let port) where IPLiteral.isValid(host):
      return (host, port)
    case .tcp(let host, _):
      collector.report(.listenNeedsAddress(address: host), at: node)
    case nil:
      collector.report(.unexpected(found: node.kind, expected: expected), at: node)
    }
    return nil
  }

  private func shadows(_ reader: MappingReader, _ collector: inout ProblemCollector)
    -> [(node: Node, endpoint: Endpoint)]?
  {
    if reader.node("shadow") != nil, let both = reader.node("shadows") {
      collector.report(.bothWritten("shadow", "shadows"), at: both)
    }
    let found =
      reader.list("shadow", .endpoint, &collector)
      ?? reader.list("shadows", .endpoint, &collector)
    guard let found else {
      reader.reportMissing("shadow", expected: Format<Endpoint>.endpoint.expected, &collector)
      return nil
    }
    return found.compactMap { node, endpoint in
      literal(endpoint, at: node, &collector).map { (node, $0) }
    }
  }

  private func copying(
    _ reader: MappingReader,
    shadows: Int,
    _ collector: inout ProblemCollector
  ) -> Copying {
    let copying = Copying(
      sample: reader.value("sample", .sample, &collector),
      amplify: reader.value("amplify", .copies, &collector) ?? 1,
      rate: reader.value("rate", .rate, &collector),
      breaker: reader.value("breaker", .breaker, &collector) ?? .on
    )
    let copies = shadows * copying.amplify
    if copies > Copying.mostCopies {
      collector.report(.tooManyCopies(copies), at: reader.node("amplify") ?? reader.node)
    }
    return copying
  }

  /// A list of nothing would let in everybody, which is hardly meant.
  private func allow(
    _ reader: MappingReader,
    _ collector: inout ProblemCollector
  ) -> [AddressRange] {
    if let node = reader.node("allow"), node.content == .sequence([]) {
      let expected = Format<AddressRange>.addressRange.expected
      collector.report(.unexpected(found: "an empty list", expected: expected), at: node)
    }
    return reader.list("allow", .addressRange, &collector)?.map(\.value) ?? []
  }

  private func directPort(
    _ reader: MappingReader,
    primary: Endpoint?,
    _ collector: inout ProblemCollector
  ) -> Int? {
    if reader.node("direct-port") != nil {
      return reader.value("direct-port", .port, &collector)
    }
    guard case .unix? = primary else { return primary?.port }
    var place = reader.node
    place.path += ".direct-port"
    collector.report(.directPortNeeded, at: place)
    return nil
  }

  /// The endpoint with an IP literal in place of a name, since the proxy resolves none.
  private func literal(_ endpoint: Endpoint, at node: Node, _ collector: inout ProblemCollector)
    -> Endpoint?
  {
    guard case .tcp(let host, let port) = endpoint, !IPLiteral.isValid(host) else {
      return endpoint
    }
    guard let address = surroundings.address(host) else {
      collector.report(.nameNotResolved(name: host), at: node)
      return nil
    }
    return .tcp(host: address, port: port)
  }
}
