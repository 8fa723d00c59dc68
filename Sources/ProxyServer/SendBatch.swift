import CURing
import Glibc

/// The sends of one turn, submitted together: at most one a socket, of all pieces it was given in the turn. The pieces
/// lie in receive buffers, which are held until the kernel has said what became of the sends.
final class SendBatch {
  struct Order {
    let socket: SocketID
    /// The last of its pieces, each of which knows the one before.
    var last: Int32
    var pieceCount: Int32
    var size: Int
    /// What the kernel said, where it did not take all: bytes taken, or the negated errno.
    var shortfall: Int32?
  }

  private struct Piece {
    let bytes: UnsafeRawBufferPointer
    let previous: Int32
  }

  static let capacity = 4096

  private(set) var orders: UnsafeMutablePointer<Order>
  private(set) var count = 0
  private let pieces: UnsafeMutablePointer<Piece>
  private var pieceCount = 0
  private let vectors: UnsafeMutablePointer<iovec>
  private var vectorCount = 0
  private let messages: UnsafeMutablePointer<msghdr>
  private var messageCount = 0
  /// Receive buffers to be given back afterwards.
  private var heldBuffers: [UInt16] = []

  init() {
    orders = .allocate(capacity: Self.capacity)
    pieces = .allocate(capacity: Self.capacity)
    vectors = .allocate(capacity: Self.capacity)
    messages = .allocate(capacity: Self.capacity)
  }

  deinit {
    orders.deallocate()
    pieces.deallocate()
    vectors.deallocate()
    messages.deallocate()
  }

  var isEmpty: Bool { count == 0 }

  /// The number of a new order, or nil when the batch is full.
  func add(_ bytes: UnsafeRawBufferPointer, for socket: SocketID) -> Int32? {
    guard pieceCount < Self.capacity else { return nil }
    (pieces + pieceCount).initialize(to: Piece(bytes: bytes, previous: -1))
    (orders + count).initialize(
      to: Order(socket: socket, last: Int32(pieceCount), pieceCount: 1, size: bytes.count)
    )
    pieceCount += 1
    count += 1
    return Int32(count - 1)
  }

  /// Adds to an order; false when the batch is full.
  func add(_ bytes: UnsafeRawBufferPointer, to order: Int32) -> Bool {
    guard pieceCount < Self.capacity else { return false }
    let order = orders + Int(order)
    (pieces + pieceCount).initialize(to: Piece(bytes: bytes, previous: order.pointee.last))
    order.pointee.last = Int32(pieceCount)
    order.pointee.pieceCount += 1
    order.pointee.size += bytes.count
    pieceCount += 1
    return true
  }

  /// Keeps a receive buffer until the batch is settled.
  func hold(_ number: UInt16) { heldBuffers.append(number) }

  func bytes(of order: Int) -> UnsafeRawBufferPointer? {
    orders[order].pieceCount == 1 ? pieces[Int(orders[order].last)].bytes : nil
  }

  /// The order's pieces for sendmsg(2); valid until the batch is cleared.
  func message(of order: Int) -> UnsafeMutablePointer<msghdr> {
    let count = Int(orders[order].pieceCount)
    let first = vectors + vectorCount
    vectorCount += count
    var number = orders[order].last
    for position in stride(from: count - 1, through: 0, by: -1) {
      let piece = pieces[Int(number)]
      first[position] = iovec(
        iov_base: UnsafeMutableRawPointer(mutating: piece.bytes.baseAddress),
        iov_len: piece.bytes.count
      )
      number = piece.previous
    }
    let message = messages + messageCount
    messageCount += 1
    message.initialize(to: msghdr())
    message.pointee.msg_iov = first
    message.pointee.msg_iovlen = count
    return message
  }

  /// Hands over what of an order lies after its first `taken` bytes, in order.
  func rest(of order: Int, after taken: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    var numbers: [Int32] = []
    var number = orders[order].last
    while number >= 0 {
      numbers.append(number)
      number = pieces[Int(number)].previous
    }
    var skipped = taken
    for number in numbers.reversed() {
      let bytes = pieces[Int(number)].bytes
      let skip = min(skipped, bytes.count)
      skipped -= skip
      if skip < bytes.count { body(UnsafeRawBufferPointer(rebasing: bytes[skip...])) }
    }
  }

  /// Gives the receive buffers back to their group; nothing of the batch is valid any more.
  func clear(_ group: BufferGroup) {
    for number in heldBuffers { group.give(number) }
    heldBuffers.removeAll(keepingCapacity: true)
    (count, pieceCount, vectorCount, messageCount) = (0, 0, 0, 0)
  }
}
