import Testing

/// Tests against real sockets run one after the other: some count this process's descriptors or memory.
@Suite(.serialized, .timeLimit(.minutes(3)))
enum RealSockets {}
