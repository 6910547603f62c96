import EgressModel

extension FlowMeter {
  /// What a hello opens: DNS over TLS ([RFC 7858](https://www.rfc-editor.org/rfc/rfc7858)), over QUIC
  /// ([RFC 9250](https://www.rfc-editor.org/rfc/rfc9250)) or over HTTPS ([RFC 8484](https://www.rfc-editor.org/rfc/rfc8484)), or plainly TLS or QUIC.
  ///
  /// The first two have protocol names and a port of their own. DNS over HTTPS looks like any other HTTPS and is known by whom it talks to.
  func content(of facts: TLSFacts, to server: SocketAddress, lookedUp: [NameEvidence], overQUIC: Bool) -> Flow.ContentKind {
    if facts.alpn.contains(overQUIC ? "doq" : "dot") { return overQUIC ? .doq : .dot }
    let saysHTTP = facts.alpn.contains { $0 == "h2" || $0.hasPrefix("h3") || $0.hasPrefix("http/") }
    if server.port == 853, !saysHTTP { return overQUIC ? .doq : .dot }
    guard facts.alpn.isEmpty || saysHTTP, isKnownResolver(facts, server.ip, lookedUp) else { return overQUIC ? .quic : .tls }
    return .doh
  }

  /// By the name that was said; without one, by the name that was looked up or the address. The public name of an encrypted hello says nothing.
  private func isKnownResolver(_ facts: TLSFacts, _ address: IPAddress, _ lookedUp: [NameEvidence]) -> Bool {
    let resolvers = KnownResolvers.bundled
    if let name = facts.sni, facts.ech != .outer { return resolvers.contains(name) }
    if let name = lookedUp.first, name.confidence == .resolved { return resolvers.contains(name.name) }
    return resolvers.contains(address)
  }
}
