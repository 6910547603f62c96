import EgressModel
import Wire

extension FlowMeter {
  /// Keeps what one side said: the names, the facts, where it wants to go through this flow.
  mutating func note(_ index: Int, _ speech: NameSniffer.Speech, from sender: FlowKey.Side, at time: Timestamp) {
    switch speech {
    case .ssh:
      table[index].content = .ssh
      return
    case .opening(let opening):
      if let content = opening.application.flatMap(Flow.ContentKind.init) { table[index].content = content }
      guard let proxy = opening.proxy else { return }
      prove(index, sender, .content)
      if sender == table[index].initiator { remember(index, proxy) }
    case .tls(let hello):
      remember(index, hello, .tcp, from: sender, at: time)
    case .dtls(let hello):
      remember(index, hello, .dtls, from: sender, at: time)
    case .quic(let hello):
      remember(index, hello, .quic, from: sender, at: time)
    case .http(let head):
      table[index].content = Flow.ContentKind(head.application) ?? .http
      prove(index, sender, .content)
      guard sender == table[index].initiator else { return }
      if let proxy = head.proxyTarget { remember(index, proxy) }
      if let evidence = head.authority.flatMap({ Self.evidence(of: $0.host, .httpHost) }) { remember(index, evidence) }
    }
  }

  private mutating func remember(_ index: Int, _ hello: ClientHello, _ carrier: ClientHello.Carrier, from sender: FlowKey.Side, at time: Timestamp) {
    // Over UDP whoever was called may say a hello: as in WebRTC, or to be taken for the one who called. But an answer may be captured first, too.
    if carrier == .tcp || carrier == .quic && isBeginning(at: time) { prove(index, sender, .content) }
    // What the other end says tells nothing of where this one went.
    guard sender == table[index].initiator else {
      if table[index].content == .unknown { table[index].content = carrier == .tcp ? .tls : carrier == .quic ? .quic : .dtls }
      return
    }
    let server = table[index].key.end(table[index].responder)
    var evidence = hello.claimedServerName.flatMap { Self.evidence(of: $0, carrier == .quic ? .quicSNI : .tlsSNI) }
    // RFC 6066 3 forbids literals. The destination's own says nothing new, and another one says something false.
    if case .address(let literal)? = hello.claimedServerName, literal != server.ip { evidence = nil }
    let facts = hellos.facts(of: hello, over: carrier)
    amend(index) { details in
      details.tls = facts
      if let evidence { details.say(evidence) }
    }
    if evidence?.confidence == .confirmed { tally.flowsNamed &+= 1 }
    guard carrier != .dtls else {
      table[index].content = .dtls
      return
    }
    let lookedUp = details[table[index].details]?.lookedUp ?? []
    table[index].content = content(of: facts, to: server, lookedUp: lookedUp, overQUIC: carrier == .quic)
  }

  private mutating func remember(_ index: Int, _ evidence: NameEvidence) {
    amend(index) { $0.say(evidence) }
    if evidence.confidence == .confirmed { tally.flowsNamed &+= 1 }
  }

  private mutating func remember(_ index: Int, _ proxy: ProxyTarget) {
    amend(index) { details in
      details.proxy = proxy
      switch proxy.kind {
      case .httpConnect: details.say(proxy.evidence(.httpConnect))
      case .socks4, .socks4a, .socks5: details.say(proxy.evidence(.socks))
      // The Host of an absolute form is said as such, and a header tells of addresses.
      case .httpAbsolute, .proxyProtocol: break
      }
    }
  }

  mutating func amend(_ index: Int, _ change: (inout FlowDetails) -> Void) {
    if table[index].details == Flow.none { table[index].details = details.insert(FlowDetails()) }
    // In place: a copy would share every list, and changing one would copy it.
    details.update(at: table[index].details, change)
  }

  /// An address literal was said, but names nothing.
  private static func evidence(of host: ClaimedHost, _ source: NameSource) -> NameEvidence? {
    switch host {
    case .name(let name): NameEvidence(name: name, source: source, confidence: .confirmed)
    case .address(let address): NameEvidence(name: DomainName(presentation: address.description), source: source, confidence: .hint)
    case .invalid: nil
    }
  }
}

extension FlowDetails {
  /// Adds what the client said, most trusted first.
  mutating func say(_ evidence: NameEvidence) {
    guard !spoken.contains(evidence) else { return }
    spoken.insert(evidence, at: spoken.firstIndex { $0.source > evidence.source } ?? spoken.endIndex)
    guard let target = proxy?.target, proxy?.kind != .proxyProtocol, proxy?.isAddress == false, evidence.confidence == .confirmed,
      evidence.name != target
    else { return }
    proxy?.innerName = evidence.name
  }
}
