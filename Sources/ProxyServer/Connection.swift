import Duplex

/// One client's connection with its sockets: to the primary, and to each shadow as long as it is followed.
struct Connection {
  struct Lane {
    var machine = ShadowLane()
    /// Nil once the shadow is done or dropped.
    var socket: SocketID?
    var isConnected = false
    /// Answers that are too few to be reported may have come: they will be looked for.
    var isToBeSwept = false
    var answers = AnswerShare()
    /// What has come stays in the kernel until there is an allowance for it.
    var isResting = false
    /// It has a place among those that rest, which it keeps if it goes on in between.
    var isInLine = false
    /// It has room for a bulky stream.
    var isWide = false
    var ticket = CircuitBreaker.Ticket.none
  }

  let route: Int
  let client: SocketID
  let primary: SocketID
  var relay: Relay
  var lanes: [Lane]
  /// Only until it is known what a header at the front means for the shadows.
  var hasFront = false
  var isPrimaryConnected = false
  /// Until when a reset by the primary is held back for what the client has not acknowledged.
  var resetBy: UInt64?
  /// Client and primary are closed; only shadows are left.
  var isRelayOver = false
  /// Its copies are counted among those that linger.
  var isLingering = false

  var isOver: Bool { isRelayOver && lanes.allSatisfy { $0.socket == nil } }
}

/// Connections by number. A number is used again, so what outlives a connection carries its generation too.
struct ConnectionTable {
  struct Reference {
    let index: Int
    let generation: UInt32
  }

  private(set) var generations: [UInt32] = []
  private var connections: [Connection?] = []
  private var free: [Int] = []
  /// Connections that are not over.
  private(set) var count = 0

  subscript(index: Int) -> Connection {
    get { connections[index]! }
    _modify { yield &connections[index]! }
  }

  subscript(reference: Reference) -> Connection? {
    generations[reference.index] == reference.generation ? connections[reference.index] : nil
  }

  var indices: Range<Int> { connections.indices }

  func isLive(_ index: Int) -> Bool { connections[index] != nil }

  func reference(to index: Int) -> Reference {
    Reference(index: index, generation: generations[index])
  }

  /// The number that the next connection will get.
  mutating func reserve() -> Int {
    if let index = free.popLast() { return index }
    connections.append(nil)
    generations.append(0)
    return connections.count - 1
  }

  mutating func put(_ connection: Connection, at index: Int) {
    connections[index] = connection
    count += 1
  }

  mutating func release(_ index: Int) {
    if connections[index] != nil { count -= 1 }
    connections[index] = nil
    generations[index] &+= 1
    free.append(index)
  }
}
