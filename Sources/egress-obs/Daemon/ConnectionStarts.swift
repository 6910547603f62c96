import Capture
import Dispatch
import EgressModel
import Host
import Logging
import Synchronization
import Wire

/// Who owned the sockets of this host's own connections at their first packet, so that sockets which live for milliseconds have an owner.
///
/// Capture proper hands frames over in blocks, up to 100 ms late, when such a socket is closed. So a second, immediate source sees SYNs and
/// DNS queries only, and the kernel is asked at each wake-up.
final class ConnectionStarts: Sendable {
  private struct Answer {
    var owner: Attribution
    var at: Timestamp
  }

  private let host: CurrentHost
  private let answers = Mutex<[SocketPair: Answer]>([:])
  private let logger: Logger

  /// The most answers kept. The meter asks for them within a second; later they may be those of an earlier connection.
  static let capacity = 16_384
  static let memory: Int64 = 5_000_000_000
  private static let batch = 256

  init(of host: CurrentHost, logger: Logger) {
    self.host = host
    self.logger = logger
  }

  /// Who owned the socket of this conversation when it began just now.
  func owner(of pair: SocketPair, at time: Timestamp) -> Attribution? {
    let answer = answers.withLock { $0[pair] }
    return answer.flatMap { abs(time.since($0.at)) <= Self.memory ? $0.owner : nil }
  }

  /// Watches an interface on a thread of its own until `end` is set or the interface is gone.
  ///
  /// Where it cannot, owners are found as far as sockets live until the meter tells of their flow.
  func watch(_ interface: String, until end: Latch) {
    DispatchQueue(label: "connections \(interface)").async { [self] in
      do {
        let source = try PacketSource(
          interface: interface,
          configuration: CaptureConfiguration(snapLength: 256, bufferSize: 1 << 20, isImmediate: true, filter: .connectionStarts))
        let attribution = SocketAttribution()
        while !end.isSet {
          try step(source, attribution)
          source.wait(milliseconds: 100)
        }
      } catch {
        logger.debug("connections on \(interface) are no longer watched for their owners: \(error)")
      }
    }
  }

  private func step(_ source: PacketSource, _ attribution: SocketAttribution) throws(CaptureError) {
    var pairs: [SocketPair] = []
    let (linkType, addresses) = (source.linkType, host.now.addresses)
    _ = try source.read(atMost: Self.batch) { frame, _, length in
      let packet = PacketDecoder.decode(frame, linkType: linkType, originalLength: length)
      guard packet.hasPorts, addresses.contains(packet.source) else { return }
      pairs.append(
        SocketPair(
          transport: packet.transport, local: SocketAddress(ip: packet.source, port: packet.sourcePort),
          remote: SocketAddress(ip: packet.destination, port: packet.destinationPort)))
    }
    guard !pairs.isEmpty else { return }
    let owners = attribution.attribute(pairs)
    let now = WallClock.now
    answers.withLock { answers in
      // A SYN that is sent again when its socket is closed says nothing new.
      for (pair, owner) in zip(pairs, owners) { if let owner { answers[pair] = Answer(owner: owner, at: now) } }
      guard answers.count > Self.capacity else { return }
      answers = answers.filter { now.since($0.value.at) <= Self.memory }
      if answers.count > Self.capacity { answers = [:] }
    }
  }
}
