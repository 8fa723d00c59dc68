/// Sends in chunks of random size, from single bytes to many kilobytes, and then the FIN.
func sendInChunks(_ bytes: [UInt8], on peer: Peer, seed: UInt64) {
  var random = Noise(seed: seed)
  var position = 0
  while position < bytes.count {
    let limit = [1, 7, 1500, 20_000, 300_000].randomElement(using: &random)!
    let size = min(Int.random(in: 1...limit, using: &random), bytes.count - position)
    // Ignored: what did not arrive is what the test compares.
    guard (unlessLost { try peer.send(Array(bytes[position..<position + size])) }) != nil else {
      return
    }
    position += size
  }
  peer.finish()
}
