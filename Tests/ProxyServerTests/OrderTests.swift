import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  @Suite struct Order {
    /// Reads to the end, and leaves the sender waiting now and then.
    private func readSlowly(_ peer: Peer, seed: UInt64) -> [UInt8] {
      var random = Noise(seed: seed)
      var bytes: [UInt8] = []
      while let more = (unlessLost { try peer.receive() }), !more.isEmpty {
        bytes += more
        if Int.random(in: 0..<8, using: &random) == 0 { usleep(2000) }
      }
      return bytes
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `bytes keep their order where sends fall short again and again`(_ seed: UInt64) throws {
      let (primary, shadow) = (Listener(receiveBuffer: 8192), Listener(receiveBuffer: 8192))
      let proxy = try TestProxy(primary: primary.address, shadows: [shadow.address]) {
        $0.shadowBuffer = 8_000_000
      }
      let request = Noise.bytes(3_000_000, seed: seed)
      let answer = Noise.bytes(3_000_000, seed: seed + 100)

      let client = try proxy.connect(receiveBuffer: 8192)
      let peer = try #require(primary.accept())
      let copy = try #require(shadow.accept())
      let sent = Worker { sendInChunks(request, on: client, seed: seed) }
      let answered = Worker { sendInChunks(answer, on: peer, seed: seed + 1) }
      let arrived = Worker { readSlowly(peer, seed: seed + 2) }
      let copied = Worker { readSlowly(copy, seed: seed + 3) }
      let received = readSlowly(client, seed: seed + 4)

      #expect(received == answer)
      #expect(arrived.value() == request)
      #expect(copied.value() == request)
      sent.value()
      answered.value()
      for each in [client, peer, copy] { each.close() }
      proxy.stop()
      primary.close()
      shadow.close()
    }
  }
}
