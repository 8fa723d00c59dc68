import Bench

@main
struct Main {
  static func main() {
    BenchCommand.main()
  }
}
