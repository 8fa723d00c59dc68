import CLinux
import Glibc

/// A worker as its supervisor knows it.
struct WorkerProcess {
  enum Phase: Equatable {
    /// Getting ready.
    case starting
    /// Ready, and waiting for the one before it to stop accepting.
    case ready
    case serving
    /// Serving, and taking another configuration on.
    case configuring
    /// Told to stop accepting.
    case handingOver
    case draining
  }

  let pid: pid_t
  /// The supervisor's end of the worker's descriptor 3; -1 once it is closed.
  var control: Int32
  var phase: Phase
  /// When it was started, in monotonic nanoseconds.
  let started: UInt64
  /// When its patience is over and it is killed.
  var deadline: UInt64

  var isAccepting: Bool { phase == .serving || phase == .configuring }

  /// Starts one of the executable that runs here, whatever stands at its path by now; nil where the kernel refuses, with
  /// the reason in errno's form.
  static func start(now: UInt64, deadline: UInt64) -> Result<WorkerProcess, StartFailure> {
    var pair: [Int32] = [-1, -1]
    let result = clinux_message_pair(&pair)
    guard result == 0 else { return .failure(StartFailure(errno: -result)) }
    defer { Glibc.close(pair[1]) }
    let pid = ChildProgram.spawn("/proc/self/exe", ["duplex-proxy", "worker"], handing: pair[1])
    guard pid > 0 else {
      Glibc.close(pair[0])
      return .failure(StartFailure(errno: -pid))
    }
    return .success(
      WorkerProcess(
        pid: pid,
        control: pair[0],
        phase: .starting,
        started: now,
        deadline: deadline
      )
    )
  }

  struct StartFailure: Error { let errno: Int32 }

  /// False when the worker does not take it: it is dead, or hangs.
  func order(_ order: WorkerOrder) -> Bool { send(order, []) }

  func configure(_ settings: WorkerSettings, _ listeners: HeldListeners) -> Bool {
    let file = MemoryFile.write(settings.bytes)
    guard file >= 0 else { return false }
    defer { Glibc.close(file) }
    var rest = listeners.descriptors[...]
    while !rest.isEmpty {
      guard send(.sockets, Array(rest.prefix(WorkerSettings.socketsAMessage))) else { return false }
      rest = rest.dropFirst(WorkerSettings.socketsAMessage)
    }
    return send(.configure, [file])
  }

  private func send(_ order: WorkerOrder, _ descriptors: [Int32]) -> Bool {
    var byte = order.rawValue
    return clinux_send_descriptors(control, &byte, 1, descriptors, descriptors.count) == 1
  }

  /// What it says, if it says something: nil for an end.
  func answer() -> WorkerAnswer? {
    var byte: UInt8 = 0
    guard clinux_receive(control, &byte, 1) == 1 else { return nil }
    return WorkerAnswer(rawValue: byte)
  }
}

extension WorkerProcess {
  func write(to fields: inout Fields) {
    fields.append(pid)
    fields.append(control)
    fields.append(started)
    fields.append(isAccepting ? 1 : 0)
    fields.append(deadline)
  }

  init(from fields: inout Fields.Reader) throws(Fields.Malformed) {
    pid = try fields.number()
    control = try fields.number()
    started = try fields.number()
    let isServing: Int = try fields.number()
    phase = isServing == 1 ? .serving : .draining
    deadline = try fields.number()
  }
}

/// Starting a program with a descriptor of its own.
enum ChildProgram {
  /// Its pid, which is its process group's too where it gets one of its own; or the negated errno.
  static func spawn(
    _ path: String,
    _ arguments: [String],
    inItsOwnGroup: Bool = false,
    handing descriptor: Int32
  ) -> pid_t {
    withCStrings(arguments) { arguments in
      withCStrings(environment) { environment in
        clinux_start_child(path, arguments, environment, inItsOwnGroup ? 1 : 0, descriptor)
      }
    }
  }

  /// Replaces the program of this process; comes back only with the errno of a failure.
  static func replace(
    _ path: String,
    _ arguments: [String],
    adding variables: [String]
  ) -> Int32 {
    withCStrings(arguments) { arguments in
      withCStrings(environment + variables) { environment in
        execve(path, arguments, environment)
        return errno
      }
    }
  }

  private static var environment: [String] {
    var all: [String] = []
    var next = environ
    while let variable = next.pointee {
      all.append(String(cString: variable))
      next += 1
    }
    return all.filter { !$0.hasPrefix(InheritedState.variable + "=") }
  }

  private static func withCStrings<Result>(
    _ texts: [String],
    _ body: (UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    var pointers = texts.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    return pointers.withUnsafeMutableBufferPointer { body($0.baseAddress!) }
  }
}
