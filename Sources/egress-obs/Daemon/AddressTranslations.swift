import EgressModel
import Flows
import Host
import Logging

/// What the kernel's connection tracking says of flows that begin: which are another one once more, and what a Service's address became.
///
/// Where it may not be asked, the meter finds both by what translation leaves as it is.
struct AddressTranslations: ~Copyable {
  private var tracking: ConnectionTracking?
  private let logger: Logger
  /// Flows that began lately, as their initiators sent them: only with its original beside it is a flow a copy.
  private var recent: [TrackedConnection.Tuple: Timestamp] = [:]
  /// With their destination translated and their source not yet, as a bridge shows flows whose ports netfilter hears of (br_netfilter).
  private var halves: [TrackedConnection.Tuple: Timestamp] = [:]
  /// When those that are older than `memory` were last forgotten.
  private var tidied = Timestamp(nanoseconds: .min)

  /// How long an original is remembered for its copies, in nanoseconds.
  static let memory: Int64 = 5_000_000_000
  static let capacity = 65_536

  init(logger: Logger) {
    self.logger = logger
    do {
      tracking = try ConnectionTracking()
    } catch {
      logger.info("\(error); translated copies of flows are told by sequence numbers and contents")
    }
  }

  /// What is known of each of these flows, where it is translated.
  ///
  /// - Parameter isLive: whether a flow with these ends is under way.
  mutating func ask(
    about started: [FlowStart], at now: Timestamp, isLive: (TrackedConnection.Tuple) -> Bool
  ) -> [(start: FlowStart, translation: Translation)] {
    guard tracking != nil else { return [] }
    let tuples = started.map { TrackedConnection.Tuple(transport: $0.transport, source: $0.source, destination: $0.destination) }
    for tuple in tuples { recent[tuple] = now }
    if now.since(tidied) >= Self.memory || max(recent.count, halves.count) > Self.capacity {
      tidied = now
      Self.forgetOld(&recent, at: now)
      Self.forgetOld(&halves, at: now)
    }
    var found: [(start: FlowStart, translation: Translation)] = []
    for (start, tuple) in zip(started, tuples) where tuple.source.port != nil && !tuple.source.ip.isLoopback {
      do {
        if let translation = try translation(of: tuple, at: now, isLive) { found.append((start, translation)) }
      } catch {
        logger.warning("\(error); translated copies of flows are told by sequence numbers and contents from here on")
        tracking = nil
        break
      }
    }
    return found
  }

  private static func forgetOld(_ memory: inout [TrackedConnection.Tuple: Timestamp], at now: Timestamp) {
    memory = memory.filter { now.since($0.value) < Self.memory }
    // A flood; what it hides counts once more.
    if memory.count > capacity / 2 { memory = [:] }
  }

  private mutating func translation(
    of tuple: TrackedConnection.Tuple, at now: Timestamp, _ isLive: (TrackedConnection.Tuple) -> Bool
  ) throws(HostError) -> Translation? {
    guard let tracking else { return nil }
    // Whichever direction the tuple is of: of a connection that is not translated both are found here, and nothing is to be said.
    if let connection = try tracking.connection(with: tuple) {
      guard connection.original == tuple, connection.translated.destination != tuple.destination else { return nil }
      let backend = connection.translated.destination
      halves[TrackedConnection.Tuple(transport: tuple.transport, source: tuple.source, destination: backend)] = now
      return .destination(backend)
    }
    guard let connection = try tracking.connection(with: tuple.reversed) else {
      return halves[tuple].map { now.since($0) < Self.memory } == true ? .copy : nil
    }
    guard connection.translated == tuple, connection.original != tuple else { return nil }
    // What this host itself sends to a Service is on no link but translated.
    let isSeen = recent[connection.original].map { now.since($0) < Self.memory } == true || isLive(connection.original)
    return isSeen ? .copy : nil
  }
}

extension [FlowRecord] {
  /// Without copies, and with what Services' addresses became.
  mutating func apply(_ translations: [(start: FlowStart, translation: Translation)]) {
    guard !translations.isEmpty else { return }
    let byID = Dictionary(translations.map { ($0.start.id, $0) }) { first, _ in first }
    removeAll { byID[$0.id]?.translation == .copy }
    for index in indices {
      guard let (start, translation) = byID[self[index].id], case .destination(let backend) = translation, self[index].destination == start.destination else { continue }
      self[index].backend = backend
    }
  }
}
