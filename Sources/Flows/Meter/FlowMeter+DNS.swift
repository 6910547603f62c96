import EgressModel
import Wire

extension FlowMeter {
  /// - Parameter isSure: nothing else was heard on these ports, so what is no message counts as a malformed one.
  mutating func observeDNSDatagram(_ index: Int, _ packet: Packet, _ frame: Span<UInt8>, from sender: FlowKey.Side, isSure: Bool, at time: Timestamp) {
    let message = frame.extracting(packet.payloadOffset..<packet.payloadOffset + packet.capturedPayloadLength)
    guard isSure || QuestionFingerprint.of(message, seed: configuration.seed) != nil else { return }
    switch observeDNS(message, isCut: packet.isPayloadCut, index, from: sender, at: time) {
    case .query:
      table[index].content = .dns
      prove(index, sender, .content)
    case .answer:
      table[index].content = .dns
      table[index].marks.insert(.dnsAnswered)
    case .unsolicited, .malformed, .truncated, .unanswered: break
    }
  }

  /// One whole message, of a datagram or out of a stream.
  mutating func observeDNS(_ message: Span<UInt8>, isCut: Bool, _ index: Int, from sender: FlowKey.Side, at time: Timestamp) -> DNSOutcome {
    let outcome = outcome(of: message, isCut: isCut, index, from: sender, at: time)
    tally.dns[outcome] &+= 1
    return outcome
  }

  private mutating func outcome(
    of message: Span<UInt8>, isCut: Bool, _ index: Int, from sender: FlowKey.Side, at time: Timestamp
  ) -> DNSOutcome {
    guard let question = QuestionFingerprint.of(message, seed: configuration.seed) else { return isCut ? .truncated : .malformed }
    let isResponse = message[2] & 0x80 != 0
    let flow = table[index]
    let client = isResponse ? sender.other : sender
    let clientEnd = flow.key.end(client)
    let serverEnd = flow.key.end(client.other)
    let query = QuestionFingerprint.of(
      question: question, id: UInt16(message[0]) << 8 | UInt16(message[1]), client: clientEnd, server: serverEnd,
      isStream: flow.key.transport == .tcp, seed: configuration.seed)
    let isBeginning = isBeginning(at: time)
    guard isResponse else {
      queries.insert(query, at: time)
      if !isBeginning {
        if !askers.isEmpty { askers = [] }
      } else if askers.count <= Self.maximumAskers {
        askers.insert(clientEnd.ip)
      }
      return .query
    }
    // A capture may begin between query and answer: then the answer is the first that is seen of this conversation, or the second of the two that ask
    // for A and AAAA, and of a client of which no query was seen.
    let mayHaveMissedQuery =
      isBeginning && flow.counters(client).packets == 0 && flow.counters(client.other).packets <= 2
      && askers.count <= Self.maximumAskers && !askers.contains(clientEnd.ip)
    guard queries.answer(query, at: time) || mayHaveMissedQuery else { return .unsolicited }
    guard let decoded = try? DNSMessage(decoding: message), let resolution = decoded.resolution() else { return .malformed }
    let addresses = resolution.addressHints.isEmpty ? resolution.addresses : resolution.addresses + resolution.addressHints
    answers.append(
      NameRecord(
        time: time, client: clientEnd.ip, server: serverEnd.ip, name: resolution.name, type: resolution.type.description, chain: resolution.chain,
        addresses: addresses, ttl: resolution.ttl, rcode: resolution.responseCode.description))
    // No client uses what comes with an error.
    if let ttl = resolution.ttl, resolution.responseCode == .noError { learn(resolution, addresses, ttl: ttl, client: clientEnd.ip, at: time) }
    return decoded.stop == nil ? .answer : isCut ? .truncated : .malformed
  }

  /// Remembers the addresses for the name that the client is after: the one asked for, or the one whose answer led to it just before.
  private mutating func learn(_ resolution: Resolution, _ addresses: [IPAddress], ttl: UInt32, client: IPAddress, at time: Timestamp) {
    let origin = aliases.alias(client: client, to: resolution.name, type: resolution.type, at: time)
    let name = origin?.name ?? resolution.name
    let chain = (origin?.chain ?? []) + resolution.chain
    let lifetime = min(ttl, origin?.ttl ?? ttl)
    if !addresses.isEmpty { names.learn(client: client, name: name, chain: chain, addresses: addresses, ttl: lifetime, at: time) }
    // Of HTTPS, an alias without a record behind it is what most names have; the client's A query leads through the same alias.
    if resolution.type == .a || resolution.type == .aaaa, addresses.isEmpty, !resolution.chain.isEmpty {
      aliases.remember(AliasTable.Alias(client: client, type: resolution.type, name: name, chain: chain, ttl: lifetime, time: time))
    }
    for target in resolution.targets.prefix(Self.maximumTargets) {
      aliases.remember(AliasTable.Alias(client: client, type: .https, name: name, chain: chain + [target], ttl: lifetime, time: time))
    }
  }

  /// Clients that are remembered while a capture begins; where there are more, no answer is believed without its query.
  private static var maximumAskers: Int { 4_096 }

  /// Hosts of one answer's SVCB records that are followed.
  private static var maximumTargets: Int { 8 }
}
