import CURing
import Glibc

/// The sends of one turn, submitted together: at most one a socket, of all pieces it was given in the turn. The pieces
/// lie in receive buffers, which are held until the kernel has said what became of the sends, or in chunks of their own.
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

  private(set) var orders = Stack<Order>()
  private var pieces = Stack<Piece>()
  private var vectors = Stack<iovec>()
  private var messages = Stack<msghdr>()
  /// Receive buffers to be given back afterwards.
  private var heldBuffers: [UInt16] = []
  private var chunks: [Chunk] = []

  var isEmpty: Bool { orders.count == 0 }

  /// The number of a new order.
  func add(_ bytes: UnsafeRawBufferPointer, for socket: SocketID) -> Int32 {
    pieces.push(Piece(bytes: bytes, previous: -1))
    let last = Int32(pieces.count - 1)
    orders.push(Order(socket: socket, last: last, pieceCount: 1, size: bytes.count))
    return Int32(orders.count - 1)
  }

  func add(_ bytes: UnsafeRawBufferPointer, to order: Int32) {
    let order = orders.base + Int(order)
    pieces.push(Piece(bytes: bytes, previous: order.pointee.last))
    order.pointee.last = Int32(pieces.count - 1)
    order.pointee.pieceCount += 1
    order.pointee.size += bytes.count
  }

  /// Adds bytes that do not last as long as the batch.
  func add(copying bytes: UnsafeRawBufferPointer, to order: Int32) {
    let chunk = Chunk(copying: bytes)
    chunks.append(chunk)
    add(chunk.bytes, to: order)
  }

  /// Keeps a receive buffer until the batch is settled.
  func hold(_ number: UInt16) { heldBuffers.append(number) }

  /// Makes room for the messages of all orders: what `message` gives must stay where it is.
  func prepare() {
    vectors.reserve(pieces.count)
    messages.reserve(orders.count)
  }

  /// The bytes of an order of one piece.
  func bytes(of order: Int) -> UnsafeRawBufferPointer? {
    let order = orders.base[order]
    return order.pieceCount == 1 ? pieces.base[Int(order.last)].bytes : nil
  }

  /// The order's pieces for sendmsg(2); valid until the batch is cleared.
  func message(of order: Int) -> UnsafeMutablePointer<msghdr> {
    let count = Int(orders.base[order].pieceCount)
    let first = vectors.base + vectors.count
    for _ in 0..<count { vectors.push(iovec()) }
    var number = orders.base[order].last
    for position in stride(from: count - 1, through: 0, by: -1) {
      let piece = pieces.base[Int(number)]
      first[position].iov_base = UnsafeMutableRawPointer(mutating: piece.bytes.baseAddress)
      first[position].iov_len = piece.bytes.count
      number = piece.previous
    }
    var message = msghdr()
    message.msg_iov = first
    message.msg_iovlen = count
    messages.push(message)
    return messages.base + (messages.count - 1)
  }

  /// Hands over what of an order lies after its first `taken` bytes, in order.
  func rest(of order: Int, after taken: Int, _ body: (UnsafeRawBufferPointer) -> Void) {
    var numbers: [Int32] = []
    var number = orders.base[order].last
    while number >= 0 {
      numbers.append(number)
      number = pieces.base[Int(number)].previous
    }
    var skipped = taken
    for number in numbers.reversed() {
      let bytes = pieces.base[Int(number)].bytes
      let skip = min(skipped, bytes.count)
      skipped -= skip
      if skip < bytes.count { body(UnsafeRawBufferPointer(rebasing: bytes[skip...])) }
    }
  }

  /// Gives the receive buffers back to their group; nothing of the batch is valid any more.
  func clear(_ group: BufferGroup) {
    for number in heldBuffers { group.give(number) }
    heldBuffers.removeAll(keepingCapacity: true)
    chunks.removeAll()
    orders.clear()
    pieces.clear()
    vectors.clear()
    messages.clear()
  }
}

/// Plain values one after the other, with an address that the kernel can be given.
struct Stack<Element: BitwiseCopyable>: ~Copyable {
  private(set) var base: UnsafeMutablePointer<Element>
  private(set) var count = 0
  private var capacity = 256

  init() { base = .allocate(capacity: capacity) }

  deinit { base.deallocate() }

  mutating func push(_ element: Element) {
    if count == capacity { reserve(count * 2) }
    (base + count).initialize(to: element)
    count += 1
  }

  /// Makes room for so many in all; what is there may move.
  mutating func reserve(_ wanted: Int) {
    guard wanted > capacity else { return }
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: wanted)
    larger.moveInitialize(from: base, count: count)
    base.deallocate()
    (base, capacity) = (larger, wanted)
  }

  mutating func clear() { count = 0 }
}
