@testable import ProxyServer

/// Rounds of sending up to 64 KiB and getting them back unchanged: how many went well before one did not.
func echoes(
  on peer: Peer,
  seed: UInt64,
  rounds: Int = .max,
  while goesOn: () -> Bool = { true }
) -> Int {
  var round = 0
  while round < rounds, goesOn() {
    let bytes = Noise.bytes(
      1 + Int(seed &* 7919 &+ UInt64(round) &* 104_729) % 65_536,
      seed: seed + 1
    )
    let answer = unlessLost {
      try peer.send(bytes)
      return try peer.receive(exactly: bytes.count)
    }
    guard answer == bytes else { return rounds == .max ? 0 : round }
    round += 1
  }
  return round
}
