import Glibc
import Testing

@testable import ProxyServer

extension RealSockets {
  /// What the worker gives up, tried by a program that gives it up the same way.
  @Suite struct Fence {
    private static let probe = Executable.path(of: "fence-probe")

    /// Of the kernel; 0 where it has none.
    private static let landlock: Int = {
      do {
        let output = try Executable.output(["landlock"], of: probe)
        return Int(output.text.filter(\.isNumber)) ?? 0
      } catch {
        fatalError("\(probe) cannot be run: \(error)")
      }
    }()

    @Test(.enabled(if: landlock > 0, "the kernel has no Landlock"))
    func
      `Landlock denies a worker every file by name, and leaves it what is open and its connects`()
      throws
    {
      let (file, port) = (TestFile("content"), Listener())
      let folder = "\(file.path)-folder"
      let socket = try #require(SocketAddress(unixPath: "\(folder)/socket"))
      mkdir(folder, 0o700)
      let (sockets, _) = try ListeningSockets.listen(socket, mode: nil, 1)
      let words = [file.path, folder, "\(port.port)", "\(folder)/socket", "\(getppid())"]
      file.makeExecutable()

      let output = try Executable.output(words, of: Self.probe)

      #expect(output.status == 0)
      #expect(
        output.text == """
          fence 0
          open for reading \(EACCES)
          open for writing \(EACCES)
          create \(EACCES)
          truncate \(Self.landlock >= 3 ? EACCES : 0)
          list a folder \(EACCES)
          make a folder \(EACCES)
          remove \(EACCES)
          bind \(Self.landlock >= 4 ? EACCES : 0)
          signal another process \(Self.landlock >= 6 ? EPERM : 0)
          execute \(EACCES)
          read what is open 0
          connect to a port 0
          connect to a unix socket 0
          signal itself 0
          count descriptors 0
          measure memory 0

          """
      )
      for descriptor in sockets { close(descriptor) }
      unlink("\(folder)/socket")
      rmdir(folder)
      port.close()
    }
  }
}
