import Capture
import EgressModel
import Foundation
import TestNetworks
import Testing

/// A small ring over a real link, and the larger one that takes its place.
@Suite(.enabled(if: NetworkNamespace.isAvailable, "needs root and iproute2 to make network namespaces"), .timeLimit(.minutes(2)))
struct GrowingPacketSourceTests {
  private let pair: InterfaceTests.Pair

  init() throws { pair = try InterfaceTests.Pair() }

  private static let configuration = CaptureConfiguration(snapLength: 2048, bufferSize: 8 << 20, filter: nil)
  private static func source(initialSize: Int32 = 1 << 20) throws -> GrowingPacketSource {
    try GrowingPacketSource(interface: "veth-a", configuration: configuration, initialSize: initialSize)
  }
  private static func largeSource() throws -> PacketSource { try PacketSource(interface: "veth-a", configuration: configuration) }

  /// A socket that sends numbered datagrams to a port of the other end.
  private struct Numbers {
    let socket: TestSocket
    var next: UInt32 = 0
    init() throws {
      socket = try TestSocket(.udp)
      try socket.bind("10.99.0.1", 443)
    }
    mutating func send(_ count: Int, length: Int = 1000) throws {
      for _ in 0..<count {
        let number = (0..<4).map { UInt8(truncatingIfNeeded: next >> (24 - 8 * $0)) }
        try socket.send(number + [UInt8](repeating: 7, count: length - 4), to: "10.99.0.2", 50000)
        next += 1
      }
    }
  }

  /// Reads until thirty reads in turn brought nothing, or `enough` says so; the numbers in the order read.
  private static func numbers(_ source: GrowingPacketSource, until enough: ([UInt32]) -> Bool = { _ in false }) throws -> [UInt32] {
    var numbers: [UInt32] = []
    var idle = 0
    while idle < 30, !enough(numbers) {
      let outcome = try source.read(atMost: 64) { frame, _, _ in
        // Ethernet, IPv4 and UDP without options.
        guard frame.count >= 46, frame[23] == 17, frame[36] == 0xc3, frame[37] == 0x50 else { return }
        numbers.append((42..<46).reduce(0) { $0 << 8 | UInt32(frame[$1]) })
      }
      if outcome == .idle {
        idle += 1
        source.wait(milliseconds: 20)
      } else {
        idle = 0
      }
    }
    return numbers
  }

  @Test func `a ring that suffices stays`() throws {
    try pair.here.perform {
      let source = try Self.source()
      var sender = try Numbers()
      try sender.send(20)
      #expect(try Self.numbers(source) == Array(0..<20))
      #expect(!source.isTooSmall(dropped: source.statistics.droppedByKernel))
    }
  }

  @Test func `a ring found a quarter full grows before anything is lost, and every frame is given once and in order`() throws {
    try pair.here.perform {
      let source = try Self.source()
      var sender = try Numbers()
      try sender.send(600)
      var isTooSmall = false
      var seen = try Self.numbers(source) { _ in
        isTooSmall = source.isTooSmall(dropped: 0)
        return isTooSmall
      }
      #expect(isTooSmall)
      #expect(!source.isTooSmall(dropped: 0), "once only")
      try source.grow(into: Self.largeSource())
      #expect(!seen.isEmpty && seen.count < 600, "\(seen.count)")
      try sender.send(3000)
      seen += try Self.numbers(source)
      #expect(seen == Array(0..<3600))
      let statistics = source.statistics
      #expect(statistics.droppedByKernel == 0)
      #expect(statistics.delivered >= 3600 && statistics.delivered == statistics.received, "\(statistics)")
      #expect(!source.isTooSmall(dropped: 1), "once only")
    }
  }

  @Test func `a ring that dropped frames grows, what it holds is not lost, and its drops stay counted`() throws {
    try pair.here.perform {
      let source = try Self.source(initialSize: 64 << 10)
      var sender = try Numbers()
      try sender.send(2000)
      let dropped = source.statistics.droppedByKernel
      #expect(dropped > 0)
      #expect(source.isTooSmall(dropped: dropped))
      try source.grow(into: Self.largeSource())
      // More than the small ring held.
      try sender.send(2000)
      let seen = try Self.numbers(source)
      #expect(seen == seen.sorted() && Set(seen).count == seen.count)
      #expect(seen.suffix(2000) == Array(2000..<4000))
      #expect(seen.count > 2000, "what the small ring held")
      let statistics = source.statistics
      #expect(statistics.droppedByKernel == dropped)
      #expect(statistics.delivered + statistics.droppedByKernel == statistics.received, "\(statistics)")
      #expect(seen.count + Int(dropped) <= Int(statistics.received))
    }
  }

  @Test func `what arrives while the rings change is given once, but for one system call`() throws {
    try pair.here.perform {
      let source = try Self.source()
      let sender = try Numbers()
      let sending = Thread {
        var sender = sender
        try? sender.send(40_000, length: 100)
      }
      sending.start()
      var seen = try Self.numbers(source) { $0.count >= 10_000 }
      try source.grow(into: Self.largeSource())
      seen += try Self.numbers(source)
      #expect(zip(seen, seen.dropFirst()).allSatisfy { $0 < $1 })
      let missing = 40_000 - seen.count
      #expect(missing <= Int(source.statistics.dropped) + 2, "\(missing) missing, \(source.statistics)")
    }
  }
}
