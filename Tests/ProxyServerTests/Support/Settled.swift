/// The value once it has stopped changing.
func settled(_ look: () throws -> Int) throws -> Int {
  var last = -1
  var unchanged = 0
  return try TestProxy.eventually(look) { value in
    unchanged = value == last && value > 0 ? unchanged + 1 : 0
    last = value
    return unchanged >= 25
  }
}
