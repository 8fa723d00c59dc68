import Glibc
import Testing

@testable import ProxyServer

@Suite struct UnixConnectsTests {
  private let one = SocketAddress(unixPath: "/one.sock")!
  private let other = SocketAddress(unixPath: "/other.sock")!

  @Test func `those that wait are tried in their order, until one of an address finds no room`() {
    var connects = UnixConnects()
    for number: UInt32 in 1...3 { connects.add(socket(number), to: one, now: 0) }
    connects.add(socket(4), to: other, now: 0)

    #expect(connects.isFull(one))
    #expect(tries(&connects, rooms: ["/one.sock": 1]) == [1, 2, 4])
    #expect(tries(&connects, rooms: ["/one.sock": 9, "/other.sock": 9]) == [2, 3, 4])
    #expect(!connects.isFull(one))
    #expect(connects.next == .max)
  }

  @Test func `a long line gets on a share at a time, and does not wait in between`() {
    var connects = UnixConnects()
    let count = UInt32(UnixConnects.share) + 1
    for number in 0..<count { connects.add(socket(number), to: one, now: 0) }
    let due = connects.next

    #expect(tries(&connects, rooms: ["/one.sock": 99]) == Array(0..<count - 1))
    #expect(connects.next == due)
    #expect(tries(&connects, rooms: ["/one.sock": 99]) == [count - 1])
  }

  @Test func `nobody is tried before it is time`() {
    var connects = UnixConnects()
    connects.add(socket(1), to: one, now: 1000)

    #expect(tries(&connects, rooms: ["/one.sock": 1], now: connects.next - 1) == [])
    #expect(tries(&connects, rooms: ["/one.sock": 1], now: connects.next) == [1])
  }

  @Test func `a socket that was closed is forgotten, wherever it stands`() {
    var connects = UnixConnects()
    for number: UInt32 in 1...3 { connects.add(socket(number), to: one, now: 0) }

    #expect(tries(&connects, rooms: [:], closed: [1, 3]) == [2])
    #expect(tries(&connects, rooms: [:], closed: [1, 2, 3]) == [])
    #expect(connects.next == .max)
    #expect(!connects.isFull(one))
  }

  private func socket(_ number: UInt32) -> SocketID { SocketID(index: number, generation: 0) }

  /// - Parameter rooms: how many connections each path has room for.
  /// - Returns: the numbers of the sockets that were tried, in order.
  private func tries(
    _ connects: inout UnixConnects,
    rooms: [String: Int],
    now: UInt64? = nil,
    closed: [UInt32] = []
  ) -> [UInt32] {
    var (rooms, tried) = (rooms, [UInt32]())
    connects.retry(now: now ?? connects.next) {
      !closed.contains($0.index)
    } connect: { socket, address in
      tried.append(socket.index)
      let path = address.unixPath!
      guard let room = rooms[path], room > 0 else { return false }
      rooms[path] = room - 1
      return true
    }
    return tried
  }
}
